"""The test lead: its score by the model in force and by a draft, line beside line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from crm.accounts.models import User
from leads.models import Lead
from leads.search import matching, search_words
from scoring.definition import Definition, parse_definition
from scoring.explanation import Explanation, Line
from scoring.models import ScoringModel
from scoring.services import explain_by

MOST_FOUND = 8


@dataclass(frozen=True)
class Version:
    """Rules with the number of their version."""

    number: int
    definition: Definition


@dataclass(frozen=True)
class TrialLine:
    """One reason of a score under both versions; None where it gives none."""

    text: str
    before: Decimal | None
    after: Decimal | None

    @property
    def is_changed(self) -> bool:
        """Return whether the versions differ."""
        return self.before != self.after


@dataclass(frozen=True)
class Trial:
    """One lead under two versions; ``after`` is None where there is no draft to try."""

    lead: Lead
    before: Explanation
    after: Explanation | None

    @property
    def lines(self) -> list[TrialLine]:
        """Return the lines of engagement."""
        return _side_by_side(
            self.before.engagement_lines, self.after.engagement_lines if self.after else None
        )

    @property
    def fit_lines(self) -> list[TrialLine]:
        """Return the lines of fit that differ."""
        both = _side_by_side(self.before.fit_lines, self.after.fit_lines if self.after else None)
        return [line for line in both if line.is_changed] if self.after else []

    @property
    def last(self) -> Explanation:
        """Return what the page is about: the draft, else the model in force."""
        return self.after or self.before

    @property
    def verdict(self) -> str:
        """Return what the draft would change for the lead."""
        if self.after is None:
            return self.before.standing
        was, becomes = (_is_mql(each) for each in (self.before, self.after))
        if was == becomes:
            return "MQL under both" if was else "No MQL under either"
        return "Becomes MQL under this draft" if becomes else "No longer MQL under this draft"

    @property
    def state(self) -> str:
        """Return ``ok`` or ``bad`` for a lead that the draft moves, else nothing."""
        if self.after is None or _is_mql(self.before) == _is_mql(self.after):
            return ""
        return "ok" if _is_mql(self.after) else "bad"


def _is_mql(told: Explanation) -> bool:
    is_barred = bool(told.blocked_by or told.disqualified_by)
    return not is_barred and (told.meets_definition or bool(told.fast_track))


def _side_by_side(before: Sequence[Line], after: Sequence[Line] | None) -> list[TrialLine]:
    """Return the lines of both under one another, those of the draft in its order."""
    if after is None:
        return [TrialLine(line.text, line.points, line.points) for line in before]
    former, latter = ({_key(line): line for line in lines} for lines in (before, after))
    keys = list(dict.fromkeys([*latter, *former]))
    return [
        TrialLine((latter.get(key) or former[key]).text, *_points(key, former, latter))
        for key in keys
    ]


def _points(key: str, former: dict[str, Line], latter: dict[str, Line]) -> Iterable[Decimal | None]:
    return (lines[key].points if key in lines else None for lines in (former, latter))


def _key(line: Line) -> str:
    return line.rule or line.text


def version_of(model: ScoringModel) -> Version:
    """Return the rules of a version without faults."""
    return Version(model.version, _kept(json.dumps(model.definition, sort_keys=True)))


@lru_cache(maxsize=16)
def _kept(document: str) -> Definition:
    """Return the same object for the same rules: the query is composed once for each."""
    return parse_definition(json.loads(document), was_valid=True)


def tried(lead: Lead, *, in_force: Version, draft: Version | None, now: datetime) -> Trial:
    """Return the score of a lead as of now by the model in force, and by a draft."""
    return Trial(lead, _told(lead, in_force, now), _told(lead, draft, now) if draft else None)


def _told(lead: Lead, version: Version, now: datetime) -> Explanation:
    return explain_by(version.definition, version.number, lead_id=lead.pk, as_of=now, known_at=now)


def found_leads(text: str, *, viewer: User) -> list[Lead]:
    """Return some leads with these words in their name, company or address."""
    words = search_words(text)
    if not words:
        return []
    leads = matching(words, viewer=viewer).order_by("-last_activity_at", "-id")
    return list(leads[:MOST_FOUND])

"""When leads became MQL, by the published model: asked of the real score query, act by act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.sql import SQL, Composed

from engagement.enums import EventKind
from leads.services import ScoreSnapshot
from scoring.definition import Definition
from scoring.query import KEEP, engagement_tables
from scoring.scored import Scored, points, score_leads
from scoring.sql import rows, with_tables

#: From the act to the move, as the sweeps take it.
DELAY = timedelta(seconds=2)
#: Instants asked in one query: it takes a second or so.
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Deed:
    """One human act of a lead, as far as qualifying looks at it."""

    lead_id: int
    received_at: datetime
    kind: EventKind


@dataclass(frozen=True, slots=True)
class Qualified:
    """A lead that met the definition: when, by which rule, with which score."""

    lead_id: int
    at: datetime
    rule: str
    is_fast_track: bool
    snapshot: ScoreSnapshot


def present_scores(
    definition: Definition, lead_ids: Sequence[int], *, now: datetime
) -> dict[int, Scored]:
    """Return the scores at ``now``; fit, blocks and disqualifiers are those of all times here."""
    asked = ask([(lead_id, now) for lead_id in lead_ids])
    found = score_leads(definition, lead_ids, asked, now=now)
    return {each.lead_id: each for each in found}


def first_qualified(
    definition: Definition,
    version: int,
    deeds: Mapping[int, Sequence[Deed]],
    scores: Mapping[int, Scored],
) -> list[Qualified]:
    """Return who met the definition, with the first act that made it so; in order of time."""
    open_to = {
        lead_id: acts
        for lead_id, acts in deeds.items()
        if not scores[lead_id].blocked_by and not scores[lead_id].disqualified_by
    }
    engagement = _engagement(definition, (deed for acts in open_to.values() for deed in acts))
    found = (
        _first(definition, version, acts, scores[lead_id].fit, engagement)
        for lead_id, acts in open_to.items()
    )
    return sorted((each for each in found if each), key=lambda each: (each.at, each.lead_id))


def _first(
    definition: Definition,
    version: int,
    acts: Sequence[Deed],
    fit: int | None,
    engagement: Mapping[tuple[int, datetime], int],
) -> Qualified | None:
    buying = {act.kind for act in definition.fast_track}
    for deed in acts:
        at = deed.received_at + DELAY
        score = engagement[deed.lead_id, at]
        cell = definition.cell(fit, score)
        is_fast_track = deed.kind in buying
        if is_fast_track or cell in definition.cells:
            snapshot = ScoreSnapshot(version, points(fit), points(score), cell)
            rule = _rule(deed.kind, cell, version, is_fast_track=is_fast_track)
            return Qualified(deed.lead_id, at, rule, is_fast_track, snapshot)
    return None


def _rule(kind: EventKind, cell: str, version: int, *, is_fast_track: bool) -> str:
    if is_fast_track:
        return f"Fast track: {kind.label[0].lower()}{kind.label[1:]}"
    return f"Cell {cell} is in the definition, model v{version}"


def _engagement(definition: Definition, deeds: Iterable[Deed]) -> dict[tuple[int, datetime], int]:
    """Return the engagement in tenths just after each act."""
    moments = sorted({(deed.lead_id, deed.received_at + DELAY) for deed in deeds})
    found: dict[tuple[int, datetime], int] = {}
    for start in range(0, len(moments), _AT_ONCE):
        tables = engagement_tables(definition, ask(moments[start : start + _AT_ONCE]))
        body = SQL("SELECT lead_id, as_of, score FROM engagement")
        answers = rows(with_tables(tables, body, keep=KEEP))
        found |= {(lead_id, at): score for lead_id, at, score in answers}
    return found


def ask(moments: Sequence[tuple[int, datetime]]) -> Composed:
    """Ask for leads, each at any number of instants, by what had been received by then."""
    return SQL(
        "SELECT lead_id, as_of, as_of AS known_at"
        " FROM unnest({}::bigint[], {}::timestamptz[]) AS moment (lead_id, as_of)"
    ).format([lead_id for lead_id, _ in moments], [at for _, at in moments])

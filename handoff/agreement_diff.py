"""What two versions of an agreement differ in, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from crm.common.criteria import CriteriaInvalid, parse, sentence
from crm.common.ui import words
from handoff.bant import policy_sentence
from handoff.enums import Commitment, TimesOutTo
from handoff.frameworks import QualificationPolicy
from handoff.models import Agreement
from handoff.services.terms import TierTerms, owners_of, promises_of, tiers_of
from scoring.diff import differences

_LABELS = {
    "mqls_per_month": "MQLs a month",
    "acceptance_goal": "Accepted by sales, at least %",
    "sql_goal": "Become SQL, at least %",
    "on_time_goal": "First touch in time, at least %",
    "verdict_goal": "Verdict in time, at least %",
    "conversion_goal": "SQLs won, at least %",
    "attempts_owed": "Attempts before giving up",
    "first_warning": "First warning, % of the time",
    "last_warning": "Second warning, % of the time",
    "escalate_after": "Managers are told after",
    "reassign_after": "Taken from its holder after",
    "times_out_to": "Then it goes to",
    "review_on": "Review",
}
_SPANS = {
    "accept_within": "accept", "first_touch_within": "first touch", "verdict_within": "verdict",
}  # fmt: skip


def changes_between(old: Agreement, new: Agreement) -> list[str]:
    """Return what ``new`` says otherwise than ``old``: definition, promises, tiers, owners."""
    return [
        *_definition(old, new),
        *_promises(promises_of(old), promises_of(new)),
        *_tiers(
            {each.name: each for each in tiers_of(old)}, {each.name: each for each in tiers_of(new)}
        ),
        *_owners(old, new),
        *_policy(old.policy, new.policy),
    ]


def who_fits(terms: TierTerms) -> str:
    """Say in words who is in a tier."""
    try:
        fits = sentence(parse(dict(terms.criteria))) if terms.criteria else ""
    except CriteriaInvalid:
        fits = "criteria that cannot be read any more"
    if terms.is_fast_track:
        return f"Buying acts, and leads whose {fits}" if fits else "Buying acts"
    return fits or "Every other MQL"


def _definition(old: Agreement, new: Agreement) -> Iterator[str]:
    documents = (old.scoring_model.definition, new.scoring_model.definition)
    yield from (each.sentence for each in differences(*documents) if each.touches_mql)


def _promises(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name, label in _LABELS.items():
        if old[name] != new[name]:
            yield f"{label}: {_said(new[name])}, was {_said(old[name])}"


def _said(value: Any) -> str:
    if value is None:
        return "never"
    if isinstance(value, timedelta):
        return words.working_time(value) if value else "at once"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    return TimesOutTo(value).label.lower() if isinstance(value, str) else str(value)


def _tiers(old: Mapping[str, TierTerms], new: Mapping[str, TierTerms]) -> Iterator[str]:
    yield from (f"Tier {words.isolated(name)} is gone" for name in old if name not in new)
    for name, terms in new.items():
        before = old.get(name)
        if before is None:
            yield f"New tier {words.isolated(name)}: {who_fits(terms)}"
        elif before != terms:
            yield f"Tier {words.isolated(name)}: {'; '.join(_tier(before, terms))}"
    kept = [name for name in old if name in new]
    if kept != [name for name in new if name in old]:
        yield f"Tiers are tried in another order: {', '.join(map(words.isolated, new))}"


def _tier(old: TierTerms, new: TierTerms) -> Iterator[str]:
    if who_fits(old) != who_fits(new):
        yield f"{who_fits(new)}, was {who_fits(old)}"
    for name, label in _SPANS.items():
        before, now = getattr(old, name), getattr(new, name)
        if before != now:
            yield f"{label} {words.working_time(now)}, was {words.working_time(before)}"


def _policy(old: QualificationPolicy, new: QualificationPolicy) -> Iterator[str]:
    if policy_sentence(old) != policy_sentence(new):
        yield f"{policy_sentence(new)}; was: {policy_sentence(old)}"
    before = {question.name: question for question in old.questions}
    for question in new.questions:
        if question.name in before and question != before[question.name]:
            yield f"{new.framework} asks otherwise for {question.label.lower()}: {question.prompt}"


def _owners(old: Agreement, new: Agreement) -> Iterator[str]:
    before, now = owners_of(old), owners_of(new)
    for commitment in Commitment:
        if before.get(commitment) != now.get(commitment):
            owner = words.isolated(str(now.get(commitment) or "nobody"))
            yield f"{commitment.label}: {owner} answers for it"

"""The terms of an agreement: what versions copy from each other, and what none may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from crm.accounts.models import User
from crm.common.criteria import parse
from handoff.enums import Commitment
from handoff.models import Agreement, SlaTier

#: The fields of an agreement that both sides promise or settle.
PROMISES = (
    "mqls_per_month", "acceptance_goal", "on_time_goal", "sql_goal", "verdict_goal",
    "conversion_goal", "attempts_owed", "qualification", "first_warning", "last_warning",
    "escalate_after", "reassign_after", "times_out_to", "review_on",
)  # fmt: skip
_CLOCKS = {
    "accept_within": "Accept", "first_touch_within": "First touch", "verdict_within": "Verdict",
}  # fmt: skip
LONGEST_SPAN = timedelta(days=366)


class AgreementInvalid(ValueError):
    """The draft cannot be signed so; the message says what to change."""


@dataclass(frozen=True, slots=True)
class TierTerms:
    """One response class as drafted: who is in it, and the working time allowed per clock."""

    name: str
    accept_within: timedelta
    first_touch_within: timedelta
    verdict_within: timedelta
    criteria: Mapping[str, Any] = field(default_factory=dict)
    is_fast_track: bool = False

    @property
    def takes_all(self) -> bool:
        """Say whether every lead fits that comes to this tier."""
        return not self.criteria and not self.is_fast_track


def tier_terms(tier: SlaTier) -> TierTerms:
    """Return a stored tier as it was drafted."""
    return TierTerms(
        name=tier.name,
        accept_within=tier.accept_within,
        first_touch_within=tier.first_touch_within,
        verdict_within=tier.verdict_within,
        criteria=tier.criteria,
        is_fast_track=tier.is_fast_track,
    )


def tiers_of(agreement: Agreement) -> list[TierTerms]:
    """Return the tiers of a version in order."""
    return [tier_terms(tier) for tier in agreement.tiers.order_by("position")]


def promises_of(agreement: Agreement) -> dict[str, Any]:
    """Return what a version promises and settles, besides its tiers and owners."""
    return {name: getattr(agreement, name) for name in PROMISES}


def owners_of(agreement: Agreement) -> dict[Commitment, User]:
    """Return who answers for which promise in the text of a version, also who has left since."""
    found = agreement.owners.select_related("owner")
    return {Commitment(each.commitment): each.owner for each in found}


def active_owners_of(agreement: Agreement) -> dict[Commitment, User]:
    """Return who can go on answering for which promise: what another text copies."""
    return {what: who for what, who in owners_of(agreement).items() if who.is_active}


def check_tiers(tiers: Sequence[TierTerms]) -> None:
    """See that each tier can be read, allows time, and can get a lead.

    Raises:
        AgreementInvalid: no tier, a name twice, no or too much time, or a tier that an earlier one
            leaves nothing to.
        CriteriaInvalid: a tier's criteria cannot be read.
    """
    if not tiers:
        raise AgreementInvalid("An agreement needs at least one tier.")
    for place, terms in enumerate(tiers):
        parse(dict(terms.criteria))
        _check_time(terms)
        _check_reach(terms, tiers[:place], is_last=place == len(tiers) - 1)


def _check_time(terms: TierTerms) -> None:
    for name, label in _CLOCKS.items():
        span = getattr(terms, name)
        if span <= timedelta(0):
            raise AgreementInvalid(
                f"Tier {terms.name} allows no time for {label}: give the clock some minutes."
            )
        if span > LONGEST_SPAN:
            raise AgreementInvalid(f"Tier {terms.name}, {label}: a year is the most.")


def _check_reach(terms: TierTerms, earlier: Sequence[TierTerms], *, is_last: bool) -> None:
    """See that some lead can come to the tier.

    Buying acts go to the first fast track, and what fits none to the last tier.
    """
    if any(before.name == terms.name for before in earlier):
        raise AgreementInvalid(f"There are two tiers {terms.name}: give one another name.")
    if terms.is_fast_track and not any(before.is_fast_track for before in earlier):
        return
    takers = (
        before
        for before in earlier
        if before.takes_all or (not is_last and _leaves_nothing(before, terms))
    )
    taker = next(takers, None)
    if taker is not None:
        raise AgreementInvalid(
            f"Tier {terms.name} matches nothing: tier {taker.name} before it takes the same leads."
            " Move it up, or ask for something else."
        )


def _leaves_nothing(before: TierTerms, terms: TierTerms) -> bool:
    """Say whether all that fit ``terms``, which is not the first fast track, fit ``before``."""
    if terms.criteria:
        return before.criteria == terms.criteria
    return terms.is_fast_track and before.is_fast_track

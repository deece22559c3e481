"""Drafting the next agreement and changing the draft, until the first signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from crm.accounts.models import User
from crm.common.criteria import compile_q, parse
from crm.common.locks import lock_writes
from handoff.enums import AgreementState, ClockKind, Commitment
from handoff.frameworks import check_policy, read_policy
from handoff.models import Agreement, SlaTier
from handoff.policy import default_targets
from handoff.services.agreements import draft_agreement, write_terms
from handoff.services.longest import calendar_too_short
from handoff.services.terms import (
    PROMISES,
    AgreementInvalid,
    TierTerms,
    active_owners_of,
    check_tiers,
    promises_of,
    tiers_of,
)
from leads.models import Lead
from scoring.services import published_model

_UNCHANGEABLE = "{} is {}: draft the next version instead."


@transaction.atomic
def draft_next(*, now: datetime) -> Agreement:
    """Draft the next version as the one in force, or as the default policy before the first.

    A draft that waits and that nobody has signed is returned instead: two would contradict.

    Raises:
        AgreementInvalid: no scoring model is in force, so that there is no MQL definition.
    """
    lock_writes(Agreement)
    model = published_model()
    if model is None:
        raise AgreementInvalid("Publish a scoring model first: the agreement signs what an MQL is.")
    waiting = Agreement.objects.waiting().filter(
        scoring_model=model, signed_by_marketing=None, signed_by_sales=None
    )
    current = Agreement.objects.filter(state=AgreementState.IN_FORCE).first()
    newest = waiting.order_by("version").last()
    if newest is not None and (current is None or newest.version > current.version):
        return newest
    if current is None:
        return draft_agreement(scoring_model=model, tiers=default_tiers(), now=now)
    terms = promises_of(current) | {"review_on": None}
    return draft_agreement(
        scoring_model=model,
        tiers=tiers_of(current),
        owners=active_owners_of(current),
        now=now,
        **terms,
    )


@transaction.atomic
def revise_draft(
    *,
    agreement_id: int,
    revision: int,
    now: datetime,
    tiers: Sequence[TierTerms] | None = None,
    owners: Mapping[Commitment, User] | None = None,
    **promises: Any,
) -> Agreement:
    """Change what a draft says; what is not given stays.

    Args:
        agreement_id: The draft.
        revision: Of the text that was changed; another one since is not overwritten.
        now: The moment of the change.
        tiers: All of them in order.
        owners: All of them.
        promises: Fields named in ``terms.PROMISES``.

    Raises:
        AgreementInvalid: it was signed by a side, changed by somebody else, or says what cannot be
            kept; the message says what to do.
        CriteriaInvalid: a tier's criteria cannot be read.
        PolicyInvalid: no answers could make an SQL.
    """
    lock_writes(Agreement)
    draft = Agreement.objects.get(pk=agreement_id)
    _check_changeable(draft, revision)
    wanted = tiers_of(draft) if tiers is None else list(tiers)
    _check_terms(wanted, promises)
    _check_somebody_fits(wanted, tiers_of(draft), now)
    _check_review(promises.get("review_on"), now)
    for name, value in promises.items():
        setattr(draft, name, value)
    draft.revision += 1
    draft.save(update_fields=[*promises, "revision"])
    write_terms(draft, wanted, active_owners_of(draft) if owners is None else owners)
    if problem := calendar_too_short(draft, now=now):
        raise AgreementInvalid(problem)
    return draft


def default_tiers() -> list[TierTerms]:
    """Return the default policy as tiers."""
    return [
        TierTerms(name=name, is_fast_track=is_fast, **_spans(is_fast_track=is_fast))
        for name, is_fast in (("1", True), ("2", False))
    ]


def _spans(*, is_fast_track: bool) -> dict[str, Any]:
    targets = default_targets(is_fast_track=is_fast_track)
    return {SlaTier.TARGETS[kind]: targets[kind] for kind in ClockKind}


def _check_changeable(draft: Agreement, revision: int) -> None:
    if draft.state != AgreementState.DRAFT:
        raise AgreementInvalid(_UNCHANGEABLE.format(draft, draft.get_state_display().lower()))
    if draft.signed_by_marketing_id or draft.signed_by_sales_id:
        raise AgreementInvalid(_UNCHANGEABLE.format(draft, "signed by one side"))
    if draft.revision != revision:
        raise AgreementInvalid("Somebody changed the draft since you opened it: look at it again.")


def _check_terms(tiers: Sequence[TierTerms], promises: Mapping[str, Any]) -> None:
    if unknown := promises.keys() - set(PROMISES):
        raise ValueError(f"{', '.join(sorted(unknown))} is no promise")
    check_tiers(tiers)
    if "qualification" in promises:
        check_policy(read_policy(promises["qualification"]))


def _check_review(review: date | None, now: datetime) -> None:
    if review is not None and review <= now.date():
        raise AgreementInvalid("The review date has passed: choose one to come.")


def _check_somebody_fits(
    tiers: Sequence[TierTerms], stored: Sequence[TierTerms], now: datetime
) -> None:
    """Refuse criteria that no lead there is fits; before the first lead nothing is known.

    What was asked before it is saved again is known to fit somebody: criteria that fit nobody are
    held against every lead there is. The last tier takes what fits none.
    """
    known = [each.criteria for each in stored]
    for terms in tiers[:-1]:
        if not terms.criteria or terms.is_fast_track or terms.criteria in known:
            continue
        asked = compile_q(parse(dict(terms.criteria)), now=now, of_all=True)
        if asked and Lead.objects.exists() and not Lead.objects.filter(asked).exists():
            raise AgreementInvalid(
                f"Tier {terms.name} matches nothing: not one lead there is fits. Ask for less."
            )

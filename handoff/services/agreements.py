"""Drafting and signing the two-way agreement; the second signature puts it in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.criteria import parse
from crm.common.locks import lock_writes
from handoff.enums import AgreementState, Side
from handoff.models import Agreement, SlaTier
from scoring.models import ScoringModel

_ROLES = {Side.MARKETING: Role.MARKETER, Side.SALES: Role.MANAGER}


class AgreementInvalid(ValueError):
    """The draft cannot be signed so; the message says what to change."""


class SignatureRefused(Exception):
    """This person cannot sign for this side, or there is nothing left to sign."""


@dataclass(frozen=True, slots=True)
class TierTerms:
    """One response class as drafted: who is in it, and the working time allowed per clock."""

    name: str
    accept_within: timedelta
    first_touch_within: timedelta
    verdict_within: timedelta
    criteria: Mapping[str, Any] = field(default_factory=dict)
    is_fast_track: bool = False


@transaction.atomic
def draft_agreement(
    *,
    scoring_model: ScoringModel,
    tiers: Sequence[TierTerms],
    now: datetime,
    **promises: int,
) -> Agreement:
    """Draft the next version.

    Args:
        scoring_model: Whose MQL definition both sides mean.
        tiers: In the order in which they are tried.
        now: The moment of drafting.
        promises: ``mqls_per_month``, ``acceptance_goal``, ``on_time_goal``, ``sql_goal`` (percent),
            ``attempts_owed``, ``bant_yes_needed``; those left out keep their defaults.

    Raises:
        AgreementInvalid: no tier, or a tier that allows no time.
        CriteriaInvalid: a tier's criteria cannot be read.
    """
    if not tiers:
        raise AgreementInvalid("An agreement needs at least one tier.")
    for terms in tiers:
        _check(terms)
    lock_writes(Agreement)
    latest = Agreement.objects.aggregate(latest=Max("version"))["latest"] or 0
    agreement = Agreement.objects.create(
        version=latest + 1, scoring_model=scoring_model, created_at=now, **promises
    )
    SlaTier.objects.bulk_create(
        SlaTier(agreement=agreement, position=position, **asdict(terms))
        for position, terms in enumerate(tiers, start=1)
    )
    return agreement


@transaction.atomic
def sign_agreement(*, agreement_id: int, signer: User, side: Side, now: datetime) -> Agreement:
    """Sign a draft for one side; with both signatures it is in force and the one before it ends.

    Handoffs that are open keep the version that they are pinned to.

    Raises:
        SignatureRefused: wrong role, the same person twice, signed already, or no draft any more.
    """
    lock_writes(Agreement)
    agreement = Agreement.objects.get(pk=agreement_id)
    _may_sign(agreement, signer, side)
    setattr(agreement, f"signed_by_{side.lower()}", signer)
    setattr(agreement, f"{side.lower()}_signed_at", now)
    if agreement.signed_by_marketing and agreement.signed_by_sales:
        Agreement.objects.filter(state=AgreementState.IN_FORCE).update(
            state=AgreementState.SUPERSEDED, superseded_at=now
        )
        agreement.state = AgreementState.IN_FORCE
        agreement.in_force_from = now
    agreement.save(
        update_fields=[
            "state",
            "in_force_from",
            "signed_by_marketing",
            "marketing_signed_at",
            "signed_by_sales",
            "sales_signed_at",
        ]
    )
    return agreement


def _check(terms: TierTerms) -> None:
    parse(dict(terms.criteria))
    spans = (terms.accept_within, terms.first_touch_within, terms.verdict_within)
    if min(spans) <= timedelta(0):
        raise AgreementInvalid(f"Tier {terms.name} allows no time: give each clock some minutes.")


def _may_sign(agreement: Agreement, signer: User, side: Side) -> None:
    if agreement.state != AgreementState.DRAFT:
        raise SignatureRefused(f"{agreement} is no draft any more.")
    if not signer.has_role(_ROLES[side]):
        raise SignatureRefused(f"For {side.label} signs a {_ROLES[side].label.lower()}.")
    if getattr(agreement, f"signed_by_{side.lower()}_id") is not None:
        raise SignatureRefused(f"{side.label} has signed already.")
    if signer.pk in (agreement.signed_by_marketing_id, agreement.signed_by_sales_id):
        raise SignatureRefused("The two sides sign by two different people.")

"""Drafting and signing the two-way agreement; the second signature puts it in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.locks import lock_writes
from handoff.enums import AgreementState, Commitment, Side
from handoff.models import Agreement, CommitmentOwner, SlaTier, WorkCalendar
from handoff.services.longest import calendar_too_short
from handoff.services.terms import TierTerms, check_tiers
from scoring.definition import DefinitionInvalid
from scoring.diff import same_mql_definition
from scoring.models import ScoringModel
from scoring.services import GateClosed, gates_of, publish, published_model

#: Name of the gate that signatures open, see ``handoff.services.definition``.
GATE = "agreement"
_ROLES = {Side.MARKETING: Role.MARKETER, Side.SALES: Role.MANAGER}


class SignatureRefused(Exception):
    """This person cannot sign for this side, or there is nothing left to sign."""


@transaction.atomic
def draft_agreement(
    *,
    scoring_model: ScoringModel,
    tiers: Sequence[TierTerms],
    now: datetime,
    owners: Mapping[Commitment, User] | None = None,
    **promises: Any,
) -> Agreement:
    """Draft the next version.

    Args:
        scoring_model: Whose MQL definition both sides mean.
        tiers: In the order in which they are tried.
        now: The moment of drafting.
        owners: Who answers for which promise.
        promises: Fields named in ``terms.PROMISES``; those left out keep their defaults.

    Raises:
        AgreementInvalid, CriteriaInvalid: as ``check_tiers`` says.
    """
    check_tiers(tiers)
    lock_writes(Agreement)
    latest = Agreement.objects.aggregate(latest=Max("version"))["latest"] or 0
    agreement = Agreement.objects.create(
        version=latest + 1,
        scoring_model=scoring_model,
        model_revision=scoring_model.revision,
        created_at=now,
        **promises,
    )
    write_terms(agreement, tiers, owners or {})
    return agreement


def write_terms(
    agreement: Agreement, tiers: Sequence[TierTerms], owners: Mapping[Commitment, User]
) -> None:
    """Write the tiers and owners of a version anew; the caller holds the table."""
    agreement.tiers.all().delete()
    agreement.owners.all().delete()
    SlaTier.objects.bulk_create(
        SlaTier(agreement=agreement, position=position, **asdict(terms))
        for position, terms in enumerate(tiers, start=1)
    )
    CommitmentOwner.objects.bulk_create(
        CommitmentOwner(agreement=agreement, commitment=commitment, owner=owner)
        for commitment, owner in owners.items()
    )


@transaction.atomic
def sign_agreement(
    *, agreement_id: int, signer: User, side: Side, now: datetime, revision: int | None = None
) -> Agreement:
    """Sign a draft for one side; with both signatures it is in force and the one before it ends.

    The second signature under the definition of a draft of the scoring model publishes that model,
    and both come into force together; if a time is set for the model, then at that time. Handoffs
    that are open keep the version that they are pinned to. ``revision`` is that of the text which
    the signer has read.

    Raises:
        SignatureRefused: wrong role, the same person twice, signed already, no draft any more,
            changed since it was read, its scoring model cannot come into force as it is, or a
            calendar opens too little for it.
    """
    lock_writes(ScoringModel)
    lock_writes(Agreement)
    lock_writes(WorkCalendar)
    agreement = Agreement.objects.select_related("scoring_model").get(pk=agreement_id)
    _may_sign(agreement, signer, side)
    if revision is not None and revision != agreement.revision:
        raise SignatureRefused(f"{agreement} was changed since you opened it: read it again.")
    _check_model(agreement, now)
    if problem := calendar_too_short(agreement, now=now):
        raise SignatureRefused(problem)
    setattr(agreement, f"signed_by_{side.lower()}", signer)
    setattr(agreement, f"{side.lower()}_signed_at", now)
    agreement.save(update_fields=[f"signed_by_{side.lower()}", f"{side.lower()}_signed_at"])
    if agreement.is_signed:
        _bring_in_force(agreement, signer, now)
        agreement.refresh_from_db()
    return agreement


def enforce(agreement: Agreement, *, now: datetime) -> None:
    """Put a signed version in force in place of the one before; the caller holds the table."""
    Agreement.objects.filter(state=AgreementState.IN_FORCE).update(
        state=AgreementState.SUPERSEDED, superseded_at=now
    )
    agreement.state, agreement.in_force_from = AgreementState.IN_FORCE, now
    agreement.save(update_fields=["state", "in_force_from"])


def _bring_in_force(agreement: Agreement, signer: User, now: datetime) -> None:
    """Put a version in force, with its model if that is still a draft; or leave both for later."""
    model = agreement.scoring_model
    if not model.is_draft:
        enforce(agreement, now=now)
    elif model.publish_at is None:
        try:
            publish(model_id=model.pk, now=now, actor=signer)
        except (GateClosed, DefinitionInvalid) as refusal:
            raise SignatureRefused(str(refusal)) from refusal


def _may_sign(agreement: Agreement, signer: User, side: Side) -> None:
    if agreement.state != AgreementState.DRAFT:
        raise SignatureRefused(f"{agreement} is no draft any more.")
    if not signer.has_role(_ROLES[side]):
        raise SignatureRefused(f"For {side.label} signs a {_ROLES[side].label.lower()}.")
    if getattr(agreement, f"signed_by_{side.lower()}_id") is not None:
        raise SignatureRefused(f"{side.label} has signed already.")
    if signer.pk in (agreement.signed_by_marketing_id, agreement.signed_by_sales_id):
        raise SignatureRefused(
            f"Somebody else has to sign for {side.label}: two different people do."
        )


def _check_model(agreement: Agreement, now: datetime) -> None:
    """Refuse a version whose MQL definition would not be the one in force."""
    newer = Agreement.objects.filter(version__gt=agreement.version, state=AgreementState.IN_FORCE)
    if (later := newer.first()) is not None:
        raise SignatureRefused(f"{later} is newer and in force: draft the next version from it.")
    model = agreement.scoring_model
    if model.is_draft:
        _check_draft(agreement, model, now)
    elif not _is_in_force(model):
        raise SignatureRefused(
            f"{agreement} holds the MQL definition of {model}, which is not the one in force:"
            " draft the next version."
        )


def _check_draft(agreement: Agreement, model: ScoringModel, now: datetime) -> None:
    if model.revision != agreement.model_revision:
        later = Agreement.objects.waiting().filter(scoring_model=model).order_by("version").last()
        if later is not None:
            raise SignatureRefused(f"{later} was drafted in its place: read that one.")
        raise SignatureRefused(
            f"{model} was changed since {agreement} was drafted: have it approved, then draft"
            " the agreement again."
        )
    for gate in gates_of(model, now=now):
        if gate.name != GATE and not gate.is_done:
            raise SignatureRefused(gate.todo)


def _is_in_force(model: ScoringModel) -> bool:
    """Return whether the model, or one with the same MQL definition, is in force."""
    current = published_model()
    if current is None or model.published_at is None:
        return False
    return current == model or same_mql_definition(model.definition, current.definition)

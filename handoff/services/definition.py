"""The MQL definition is part of the agreement: a draft of the model that changes it waits for both.

Scoring asks through its publishing gates, so it knows of no agreement.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.locks import lock_writes
from crm.common.notifications import notify
from handoff.enums import AgreementState
from handoff.models import Agreement
from handoff.services.agreements import GATE, draft_agreement, enforce
from handoff.services.terms import AgreementInvalid, active_owners_of, promises_of, tiers_of
from scoring.diff import same_mql_definition
from scoring.models import ScoringModel
from scoring.services import is_approved, lock_draft
from scoring.slots import Gate


def agreement_gate(model: ScoringModel, _now: datetime) -> Gate | None:
    """Return the gate of a draft that changes what both teams signed; None for any other.

    Where no agreement is in force nobody signed a definition, so nobody has to sign another.
    """
    current = _in_force()
    if current is None or same_mql_definition(current.scoring_model.definition, model.definition):
        return None
    draft = _draft_for(model)
    if draft is None:
        todo = f"Draft the next agreement: {model} changes the MQL definition, so both teams sign."
        url = reverse("handoff:draft_agreement", args=[model.pk])
        return Gate(GATE, "Both teams sign", False, todo, url=url, act="Draft agreement")
    return Gate(
        name=GATE,
        label="Both teams sign",
        is_done=draft.is_signed,
        todo=f"{draft} waits for the signature of {_missing(draft)}.",
        done_at=_signed_at(draft),
        url=f"{reverse('handoff:agreement')}?version={draft.version}",
    )


@transaction.atomic
def draft_for_model(*, model_id: int, actor: User, now: datetime) -> Agreement:
    """Draft the next agreement as the one in force with the MQL definition of an approved draft.

    Asked twice it is the same draft. One for an earlier revision of the model stays, void: its
    number is never given to another text, so that no page left open can sign what it does not show.

    Raises:
        NotADraft: the model is no draft any more.
        AgreementInvalid: the model is not approved, or changes nothing that was signed.
    """
    model = lock_draft(model_id)
    lock_writes(Agreement)
    current = _in_force()
    if current is None or same_mql_definition(current.scoring_model.definition, model.definition):
        raise AgreementInvalid(f"{model} changes nothing that both teams signed.")
    if not is_approved(model, ScoringModel.objects.in_force()):
        raise AgreementInvalid(f"Have {model} approved by a second person first.")
    if draft := _draft_for(model):
        return draft
    draft = draft_agreement(
        scoring_model=model,
        tiers=tiers_of(current),
        owners=active_owners_of(current),
        now=now,
        **promises_of(current),
    )
    _ask_to_sign(draft, model, actor, now)
    return draft


def enforce_with_model(*, model: ScoringModel, now: datetime) -> None:
    """Put the version in force that both signed for a model which was just published.

    It is the one that the gate asks for: never one older than what is in force.
    """
    lock_writes(Agreement)
    draft = _draft_for(model)
    if draft is not None and draft.is_signed:
        enforce(draft, now=now)


def _in_force() -> Agreement | None:
    found = Agreement.objects.filter(state=AgreementState.IN_FORCE)
    return found.select_related("scoring_model").first()


def _draft_for(model: ScoringModel) -> Agreement | None:
    """Return the version drafted for this revision of a model, newer than the one in force."""
    return Agreement.objects.waiting().filter(scoring_model=model).order_by("version").last()


def _missing(draft: Agreement) -> str:
    signatures = {
        "Marketing": draft.signed_by_marketing_id,
        "Sales": draft.signed_by_sales_id,
    }
    return " and ".join(side for side, signer in signatures.items() if signer is None)


def _signed_at(draft: Agreement) -> datetime | None:
    times = (draft.marketing_signed_at, draft.sales_signed_at)
    return max(filter(None, times)) if draft.is_signed else None


def _ask_to_sign(draft: Agreement, model: ScoringModel, actor: User, now: datetime) -> None:
    signers = User.objects.filter(
        is_active=True, roles__overlap=[Role.MARKETER, Role.MANAGER]
    ).exclude(pk=actor.pk)
    notify(
        recipients=signers,
        key=f"agreement:sign:{draft.pk}",
        title=f"{draft} waits for both signatures",
        body=f"Scoring {str(model).lower()} changes what a marketing qualified lead is.",
        url=f"{reverse('handoff:agreement')}?version={draft.version}",
        icon="signature",
        topic=f"agreement:{draft.pk}",
        now=now,
    )

"""Approval of a draft by a second person; it holds for one revision."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.notifications import notify
from scoring.models import ScoringModel
from scoring.services.gates import is_approved
from scoring.services.locking import lock_draft
from scoring.services.publishing import definition_of

APPROVERS = (Role.MARKETER, Role.MANAGER, Role.ADMIN)


class ApprovalRefused(Exception):
    """This person cannot approve the draft, or not yet; the message says who can, or what first."""


def address_of(model: ScoringModel) -> str:
    """Return the path of the page of a version."""
    return reverse("scoring:version", args=[model.version])


@transaction.atomic
def request_approval(*, model_id: int, revision: int, actor: User, now: datetime) -> ScoringModel:
    """Ask for a second person, and tell everybody who could be that person.

    Asking again changes nothing, unless another model came into force since it was asked.

    Raises:
        DraftChanged: it has another revision by now.
        NotADraft: it is no draft any more.
        DefinitionInvalid: naming every fault that has to be mended first.
        ApprovalRefused: who approved it beside the model before can do so again, and not ask.
    """
    model = lock_draft(model_id, revision=revision)
    definition_of(model)
    in_force = ScoringModel.objects.in_force()
    if not is_asked(model, in_force):
        if actor == model.approved_by:
            raise ApprovalRefused(f"You approved {model} before: approve it again.")
        model.approval_requested_by, model.approval_requested_at = actor, now
        model.save(update_fields=["approval_requested_by", "approval_requested_at"])
        notify(
            recipients=_others(model),
            key=f"scoring:approval:{model.pk}:{model.revision}:{now}",
            title=f"{actor} asks you to approve scoring {str(model).lower()}",
            body="Look at what it changes and at its back-test, then approve it or tell why not.",
            url=address_of(model),
            icon="user-check",
            topic=f"scoring:{model.pk}",
            now=now,
        )
    return model


@transaction.atomic
def approve(*, model_id: int, revision: int, actor: User, now: datetime) -> ScoringModel:
    """Approve a revision as the second person; again, when another model came into force since.

    Raises:
        DraftChanged: it has another revision by now.
        NotADraft: it is no draft any more.
        DefinitionInvalid: naming every fault; a rule can become one when what it asks for is gone.
        ApprovalRefused: who wrote it or asked does not approve it, nor does a rep.
    """
    model = lock_draft(model_id, revision=revision)
    definition_of(model)
    _may_approve(model, actor)
    if not is_approved(model, ScoringModel.objects.in_force()):
        model.approved_by, model.approved_at, model.approved_revision = actor, now, revision
        model.save(update_fields=["approved_by", "approved_at", "approved_revision"])
        notify(
            recipients=_authors(model),
            key=f"scoring:approved:{model.pk}:{model.revision}:{now}",
            title=f"{actor} approved scoring {str(model).lower()}",
            url=address_of(model),
            icon="circle-check",
            topic=f"scoring:{model.pk}",
            now=now,
        )
    return model


@transaction.atomic
def withdraw_approval(*, model_id: int, revision: int, actor: User, now: datetime) -> ScoringModel:
    """Take back the approval, and with it the time to publish; the request for it stays.

    Raises:
        DraftChanged: it has another revision by now.
        NotADraft: it is no draft any more; what is in force is replaced by another version.
    """
    model = lock_draft(model_id, revision=revision)
    if model.approved_by:
        authors = {*_authors(model), model.approved_by} - {actor}
        key = f"scoring:withdrawn:{model.pk}:{model.revision}:{model.approved_at}"
        model.approved_by = model.approved_at = model.approved_revision = None
        model.publish_at = model.scheduled_by = None
        model.save(update_fields=[*_APPROVAL, "publish_at", "scheduled_by"])
        notify(
            recipients=authors,
            key=key,
            title=f"{actor} took back the approval of scoring {str(model).lower()}",
            url=address_of(model),
            icon="undo-2",
            topic=f"scoring:{model.pk}",
            now=now,
        )
    return model


_APPROVAL = ("approved_by", "approved_at", "approved_revision")


def is_asked(model: ScoringModel, in_force: ScoringModel | None) -> bool:
    """Return whether the approval was asked for since the model in force came into force."""
    since = in_force.published_at if in_force else None
    asked_at = model.approval_requested_at
    return asked_at is not None and (since is None or asked_at >= since)


def may_approve(model: ScoringModel, person: User) -> bool:
    """Return whether a person may be the second one for a draft."""
    return person.has_role(*APPROVERS) and person.pk not in {each.pk for each in _authors(model)}


def _may_approve(model: ScoringModel, person: User) -> None:
    if model.approval_requested_by is None:
        raise ApprovalRefused(
            f"Nobody has asked for the approval of {model} yet: ask for it first."
        )
    if not person.has_role(*APPROVERS):
        raise ApprovalRefused("A marketer, a manager or an admin approves a scoring model.")
    if not may_approve(model, person):
        raise ApprovalRefused(
            f"You wrote {model} or asked for its approval: somebody else has to approve it."
        )


def _authors(model: ScoringModel) -> set[User]:
    people = (model.created_by, model.changed_by, model.approval_requested_by)
    return {person for person in people if person}


def _others(model: ScoringModel) -> list[User]:
    able = User.objects.filter(is_active=True, roles__overlap=list(APPROVERS))
    return list(able.exclude(pk__in=[person.pk for person in _authors(model)]).order_by("pk"))

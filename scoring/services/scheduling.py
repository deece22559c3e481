"""Drafts that come into force at a time that somebody chose."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from crm.accounts.models import User
from crm.common.health import beat
from crm.common.instants import plan_problem
from crm.common.notifications import notify
from crm.common.singly import do_singly
from scoring.definition import DefinitionInvalid
from scoring.models import ScoringModel
from scoring.services.approving import address_of
from scoring.services.gates import gates_of
from scoring.services.locking import NotADraft, lock_draft
from scoring.services.publishing import GateClosed, definition_of, publish

logger = logging.getLogger(__name__)

#: Gates of our own: without them there is nothing to set a time for.
_FIRST = ("back_test", "approval")


class ScheduleRefused(Exception):
    """The draft cannot come into force then; the message says why."""


@transaction.atomic
def schedule(
    *, model_id: int, revision: int, publish_at: datetime, actor: User, now: datetime
) -> ScoringModel:
    """Have a draft come into force at a time; another time replaces it.

    What upper floors hold against it, a signature that is missing, may still be done until then:
    every gate is asked once more at that time.

    Raises:
        DraftChanged: it has another revision by now.
        NotADraft: it is no draft any more.
        DefinitionInvalid: naming every fault of the document.
        GateClosed: it is not back-tested, or not approved.
        ScheduleRefused: the time has passed, or is more than two years away.
    """
    model = lock_draft(model_id, revision=revision)
    definition_of(model)
    _check_time(publish_at, now)
    for gate in gates_of(model, now=now):
        if gate.name in _FIRST and not gate.is_done:
            raise GateClosed(gate)
    model.publish_at, model.scheduled_by, model.held_up = publish_at, actor, ""
    model.save(update_fields=["publish_at", "scheduled_by", "held_up"])
    return model


@transaction.atomic
def unschedule(*, model_id: int, revision: int) -> ScoringModel:
    """Take back the time to publish; the approval stays.

    Raises:
        DraftChanged: it has another revision by now.
        NotADraft: it is no draft any more.
    """
    model = lock_draft(model_id, revision=revision)
    model.publish_at = model.scheduled_by = None
    model.save(update_fields=["publish_at", "scheduled_by"])
    return model


def publish_due_models(*, now: datetime) -> int:
    """Put the drafts in force whose time has come; return how many there were.

    Fails closed: where a gate no longer holds the draft stays one, without a time, and the people
    behind it are told why. The switch is dated by ``now``: that is when the rules changed.
    """
    due = list(ScoringModel.objects.due(now).order_by("publish_at", "id"))

    def give_up(model: ScoringModel, _: Exception) -> None:
        logger.exception("Could not publish %s", model)

    do_singly(due, lambda model: _publish_due(model.pk, now), give_up=give_up)
    beat("publish_due_models", now)
    return len(due)


@transaction.atomic
def _publish_due(model_id: int, now: datetime) -> None:
    try:
        model = lock_draft(model_id)
    except NotADraft:
        return
    if model.publish_at is None or model.publish_at > now:
        return
    told, orderer = _people(model), model.scheduled_by
    try:
        model = publish(model_id=model_id, now=now, actor=orderer)
    except (GateClosed, DefinitionInvalid) as refusal:
        _hold_up(model, str(refusal), told, now)
    else:
        notify(
            recipients=told,
            key=f"scoring:published:{model.pk}",
            title=f"Scoring {str(model).lower()} is in force",
            body="It was published at the time that was set. All leads are scored anew.",
            url=address_of(model),
            icon="circle-check",
            topic=f"scoring:{model.pk}",
            now=now,
        )


def _hold_up(model: ScoringModel, why: str, told: set[User], now: datetime) -> None:
    """Leave the draft as it is, without a time; nobody is surprised by a switch later on."""
    due_at, longest = model.publish_at, 500
    model.publish_at = model.scheduled_by = None
    model.held_up = why[:longest]
    model.save(update_fields=["publish_at", "scheduled_by", "held_up"])
    notify(
        recipients=told,
        key=f"scoring:held_up:{model.pk}:{due_at}",
        title=f"Scoring {str(model).lower()} was not published",
        body=f"Its time came, but: {why}",
        url=address_of(model),
        icon="triangle-alert",
        topic=f"scoring:{model.pk}",
        now=now,
    )


def _people(model: ScoringModel) -> set[User]:
    people = (model.changed_by, model.approved_by, model.scheduled_by)
    return {person for person in people if person}


def _check_time(publish_at: datetime, now: datetime) -> None:
    if problem := plan_problem(publish_at, now=now):
        raise ScheduleRefused(problem)

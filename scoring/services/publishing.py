"""Model versions: which one is in force, and putting another in its place."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import Q

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from scoring.definition import Definition, parse_definition
from scoring.enums import ModelState
from scoring.models import ScoringModel
from scoring.services.gates import gates_of
from scoring.services.locking import lock_draft, switch_force
from scoring.services.standing import remember_standing
from scoring.signals import model_published
from scoring.slots import Gate

logger = logging.getLogger(__name__)


class GateClosed(Exception):
    """The draft may not come into force yet; ``gate`` is what is missing."""

    def __init__(self, gate: Gate) -> None:
        """Say what to do."""
        super().__init__(gate.todo)
        self.gate = gate


def definition_of(model: ScoringModel) -> Definition:
    """Return the rules of a model; what a published one can no longer ask for is unknown.

    Raises:
        DefinitionInvalid: naming every fault of a draft.
    """
    if model.published_at is None:
        return parse_definition(model.definition)
    kept = _kept(model.pk, model.revision, model.published_at)
    return _read(model.definition) if kept.unreadable else kept


def _read(document: Any) -> Definition:
    definition = parse_definition(document, was_valid=True)
    for problem in definition.unreadable:
        logger.error("A rule of a published model counts nothing: %s", problem)
    return definition


@lru_cache(maxsize=16)
def _kept(model_id: int, _revision: int, _published_at: datetime) -> Definition:
    """Return the rules of a published model, which are never changed.

    In a database that was emptied or restored meanwhile another was published at another time. One
    that cannot be read whole is read anew each time: what is missing may be declared again.
    """
    return _read(ScoringModel.objects.values_list("definition", flat=True).get(pk=model_id))


_IN_FORCE = PreparedQuery(lambda: ScoringModel.objects.published().defer("definition"))


def published_model() -> ScoringModel | None:
    """Return the model in force, None before the first was published.

    Its document is loaded when it is asked for: ``definition_of`` knows what it says.
    """
    return next(iter(_IN_FORCE.ask()), None)


_AT = PreparedQuery(
    lambda moment: (
        ScoringModel.objects.filter(published_at__lte=moment)
        .filter(Q(retired_at__isnull=True) | Q(retired_at__gt=moment))
        .order_by("-published_at")
        .defer("definition")[:1]
    )
)


def model_at(moment: datetime) -> ScoringModel | None:
    """Return the model that was in force at ``moment``; before the first one, the first."""
    ever = ScoringModel.objects.filter(published_at__isnull=False).order_by("published_at")
    return next(iter(_AT.ask(moment)), None) or ever.first()


@transaction.atomic
def publish(
    *, model_id: int, now: datetime, actor: User | None = None, revision: int | None = None
) -> ScoringModel:
    """Put a draft in force and retire its predecessor.

    All scores are renewed in the background. No lead moves for what was learned before ``now``:
    those that newly meet the definition are released to sales in waves. Of drafts that are
    published at once the first comes into force; the other has to be judged beside it. A person
    publishes the ``revision`` that they saw; at its time a draft comes into force as it is.

    Raises:
        NotADraft: when the model is or was in force.
        DraftChanged: it has another revision by now.
        DefinitionInvalid: naming every fault of the document.
        GateClosed: what has to be done first.
    """
    model = lock_draft(model_id, revision=revision)
    definition_of(model)
    for gate in gates_of(model, now=now):
        if not gate.is_done:
            raise GateClosed(gate)
    put_in_force(model, now=now, actor=actor)
    return model


@transaction.atomic
def put_in_force(model: ScoringModel, *, now: datetime, actor: User | None = None) -> None:
    """Switch to a draft that may come into force; the caller has locked it."""
    # Before anybody waits: a lead that moves in between is noted in vain.
    remember_standing(published_model(), now=now)
    switch_force()
    former = ScoringModel.objects.published()
    former.update(state=ModelState.RETIRED, retired_at=now, rescored_up_to=None)
    model.state, model.published_at, model.published_by = ModelState.PUBLISHED, now, actor
    model.publish_at, model.scheduled_by, model.held_up = None, None, ""
    model.rescored_up_to = 0
    model.save(
        update_fields=[
            "state",
            "published_at",
            "published_by",
            "publish_at",
            "scheduled_by",
            "held_up",
            "rescored_up_to",
        ]
    )
    model_published.send(sender=ScoringModel, model=model, now=now)

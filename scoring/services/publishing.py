"""Model versions: which one is in force, and putting another in its place."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from functools import lru_cache

from django.db import transaction
from django.db.models import Max, Q

from crm.accounts.models import User
from crm.common.locks import lock_writes
from scoring.definition import Definition, parse_definition
from scoring.enums import ModelState
from scoring.models import ScoringModel
from scoring.presets import default_definition

logger = logging.getLogger(__name__)


class NotADraft(Exception):
    """Only a draft can be published."""

    def __init__(self, model: ScoringModel) -> None:
        """Compose the sentence a person reads."""
        super().__init__(f"{model} is {model.get_state_display().lower()}, not a draft")


def definition_of(model: ScoringModel) -> Definition:
    """Return the rules of a model; what a published one can no longer ask for is unknown.

    Raises:
        DefinitionInvalid: naming every fault of a draft.
    """
    if model.state == ModelState.DRAFT:
        return parse_definition(model.definition)
    document = json.dumps(model.definition, sort_keys=True)
    kept = _kept(document)
    return _read(document) if kept.unreadable else kept


def _read(document: str) -> Definition:
    definition = parse_definition(json.loads(document), was_valid=True)
    for problem in definition.unreadable:
        logger.error("A rule of a published model counts nothing: %s", problem)
    return definition


#: One that cannot be read whole is read anew each time: what is missing may be declared again.
_kept = lru_cache(maxsize=16)(_read)


def published_model() -> ScoringModel | None:
    """Return the model in force, None before the first was published."""
    return ScoringModel.objects.filter(state=ModelState.PUBLISHED).first()


def model_at(moment: datetime) -> ScoringModel | None:
    """Return the model that was in force at ``moment``; before the first one, the first."""
    in_force = ScoringModel.objects.exclude(state=ModelState.DRAFT).order_by("published_at")
    then = Q(published_at__lte=moment) & (Q(retired_at__isnull=True) | Q(retired_at__gt=moment))
    return in_force.filter(then).last() or in_force.first()


def ensure_model(*, now: datetime) -> ScoringModel:
    """Return the model in force; an installation without one gets the shipped model."""
    model = published_model()
    if model:
        return model
    draft = create_draft(definition=default_definition(), now=now, note="Shipped with Baton")
    return publish(model_id=draft.pk, now=now)


@transaction.atomic
def create_draft(*, definition: object, now: datetime, note: str = "") -> ScoringModel:
    """Keep a document as the next version; it may still be faulty."""
    lock_writes(ScoringModel)
    latest = ScoringModel.objects.aggregate(latest=Max("version"))["latest"] or 0
    return ScoringModel.objects.create(
        version=latest + 1, definition=definition, note=note, created_at=now
    )


@transaction.atomic
def publish(*, model_id: int, now: datetime, actor: User | None = None) -> ScoringModel:
    """Put a draft in force and retire its predecessor.

    All scores are renewed in the background. No lead moves for what was learned before ``now``:
    those that newly meet the definition are found under "meets the definition". Of drafts that are
    published at once one follows the other, and the last stays in force.

    Raises:
        NotADraft: when the model is or was in force.
        DefinitionInvalid: naming every fault of the document.
    """
    lock_writes(ScoringModel)
    model = ScoringModel.objects.get(pk=model_id)
    if model.state != ModelState.DRAFT:
        raise NotADraft(model)
    definition_of(model)
    former = ScoringModel.objects.filter(state=ModelState.PUBLISHED)
    former.update(state=ModelState.RETIRED, retired_at=now, rescored_up_to=None)
    model.state, model.published_at, model.published_by = ModelState.PUBLISHED, now, actor
    model.rescored_up_to = 0
    model.save(update_fields=["state", "published_at", "published_by", "rescored_up_to"])
    return model

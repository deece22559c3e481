"""Drafts of the scoring model: begun from a version, changed revision by revision, discarded."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max

from crm.accounts.models import User
from crm.common.locks import lock_writes
from scoring.definition import DefinitionInvalid, Problem, parse_definition
from scoring.diff import meaning
from scoring.enums import ModelState
from scoring.models import ScoringModel
from scoring.presets import default_definition
from scoring.services.locking import lock_draft
from scoring.services.publishing import published_model

#: Characters of a document; a hundred rules need a tenth of it. Our choice.
LARGEST = 1_000_000
#: What was said of a revision, and of the next one not yet.
_UNSAID: dict[str, Any] = {
    "approval_requested_at": None,
    "approval_requested_by": None,
    "approved_at": None,
    "approved_by": None,
    "approved_revision": None,
    "publish_at": None,
    "scheduled_by": None,
    "held_up": "",
}


class ChangedDraft(NamedTuple):
    """A draft after a change, and every fault that keeps it from being published."""

    model: ScoringModel
    problems: tuple[Problem, ...]


def problems_of(document: object) -> tuple[Problem, ...]:
    """Return every fault of a document, with its path; none of one that can be published."""
    try:
        parse_definition(document)
    except DefinitionInvalid as fault:
        return fault.problems
    return ()


@transaction.atomic
def create_draft(
    *,
    definition: object,
    now: datetime,
    note: str = "",
    actor: User | None = None,
    based_on: ScoringModel | None = None,
) -> ScoringModel:
    """Keep a document as the next version; it may still be faulty.

    Raises:
        DefinitionInvalid: it cannot even be stored.
    """
    _check_storable(definition)
    lock_writes(ScoringModel)
    latest = ScoringModel.objects.aggregate(latest=Max("version"))["latest"] or 0
    return ScoringModel.objects.create(
        version=latest + 1,
        definition=definition,
        note=note,
        based_on=based_on,
        created_at=now,
        created_by=actor,
        changed_at=now,
        changed_by=actor,
    )


def start_draft(
    *, actor: User, now: datetime, based_on: ScoringModel | None = None
) -> ScoringModel:
    """Begin a draft as a copy of a version: of the one in force, unless another is named."""
    origin = based_on or published_model()
    definition = origin.definition if origin else default_definition()
    return create_draft(definition=definition, now=now, actor=actor, based_on=origin)


def restore(*, model_id: int, actor: User, now: datetime) -> ScoringModel:
    """Begin a draft as a copy of an old version; it comes into force as any other draft does."""
    old = ScoringModel.objects.get(pk=model_id)
    return create_draft(
        definition=old.definition,
        now=now,
        note=f"Restores v{old.version}",
        actor=actor,
        based_on=old,
    )


@transaction.atomic
def change_draft(
    *, model_id: int, revision: int, definition: object, actor: User, now: datetime
) -> ChangedDraft:
    """Keep the next revision of a draft; it may be faulty, and says how.

    Approval, the request for it and the time to publish belong to the revision before: they are
    void. A document that says what the draft says already changes nothing.

    Args:
        model_id: the draft.
        revision: the one that ``actor`` read and changed.
        definition: the whole document as it shall be.
        actor: who changes it.
        now: time of the change.

    Raises:
        DraftChanged: somebody else was faster; nothing is written.
        NotADraft: it can no longer be changed.
        DefinitionInvalid: it cannot even be stored.
    """
    _check_storable(definition)
    model = lock_draft(model_id, revision=revision)
    if meaning(model.definition) != meaning(definition):
        changes = {"definition": definition, "revision": revision + 1, **_UNSAID}
        _write(model, **changes, changed_at=now, changed_by=actor)
    return ChangedDraft(model, problems_of(definition))


@transaction.atomic
def discard_draft(*, model_id: int, revision: int, now: datetime) -> ScoringModel:
    """Take a draft off the table. It stays in the history, from where it can be restored.

    Raises:
        DraftChanged: somebody changed it since.
        NotADraft: it is no draft any more.
    """
    model = lock_draft(model_id, revision=revision)
    _write(model, state=ModelState.RETIRED, retired_at=now, **_UNSAID)
    return model


def _write(model: ScoringModel, **values: Any) -> None:
    for name, value in values.items():
        setattr(model, name, value)
    model.save(update_fields=list(values))


def _check_storable(document: object) -> None:
    """Refuse what the database cannot hold, or nobody could read."""
    try:
        spelt = json.dumps(document, allow_nan=False)
        spelt.encode().decode("utf-8")
        json.dumps(document, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise DefinitionInvalid([Problem("", "is no JSON")]) from error
    if "\\u0000" in spelt:
        raise DefinitionInvalid([Problem("", "holds a character that cannot be stored")])
    if len(spelt) > LARGEST:
        raise DefinitionInvalid([Problem("", f"is longer than {LARGEST:,} characters")])

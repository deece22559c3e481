"""Drafts: begun from a version, changed revision by revision, nothing lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm.accounts.enums import Role
from scoring.definition import DefinitionInvalid
from scoring.enums import ModelState
from scoring.models import ScoringModel
from scoring.presets import default_definition
from scoring.services import (
    DraftChanged,
    NotADraft,
    change_draft,
    discard_draft,
    restore,
    schedule,
    start_draft,
)
from tests.factories import NOW, make_user
from tests.scoring.drafts import make_draft, ready_draft
from tests.scoring.logs import document, force_model

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
CELLS: dict[str, Any] = {"mql": {"cells": ["A1"]}}


def change(draft: ScoringModel, definition: object, **fields: Any) -> ScoringModel:
    arguments = {"revision": draft.revision, "actor": make_user(Role.MARKETER), "now": NOW + HOUR}
    return change_draft(model_id=draft.pk, definition=definition, **{**arguments, **fields}).model


def test_a_draft_begins_as_a_copy_of_the_model_in_force() -> None:
    model, author = force_model(now=NOW), make_user(Role.MARKETER)
    draft = start_draft(actor=author, now=NOW + HOUR)
    assert (draft.version, draft.revision, draft.based_on) == (2, 1, model)
    assert draft.definition == model.definition
    assert (draft.created_by, draft.changed_by, draft.changed_at) == (author, author, NOW + HOUR)


def test_without_a_model_in_force_a_draft_begins_as_the_shipped_one() -> None:
    assert start_draft(actor=make_user(), now=NOW).definition == default_definition()


def test_a_change_is_the_next_revision_and_says_who_made_it() -> None:
    draft, editor = make_draft(), make_user(Role.MARKETER)
    changed = change(draft, document(**CELLS), actor=editor)
    assert (changed.revision, changed.changed_by) == (draft.revision + 1, editor)
    changed.refresh_from_db()
    assert changed.definition == document(**CELLS)


def test_a_change_that_changes_nothing_is_no_revision_and_keeps_the_approval() -> None:
    draft = ready_draft()
    same = change(draft, document())
    assert (same.revision, same.approved_by) == (draft.revision, draft.approved_by)


@pytest.mark.parametrize(("answer", "is_change"), [(True, True), (1.0, False), (1, False)])
def test_true_is_another_answer_than_one(answer: object, is_change: bool) -> None:
    def asking(value: object) -> dict[str, Any]:
        match = {"property": {"name": "vip", "equals": value}}
        return document({"label": "Answer", "match": match, "points": 10})

    draft = make_draft(asking(1))
    changed = change(draft, asking(answer))
    assert changed.revision - draft.revision == is_change


def test_a_change_voids_the_approval_and_the_time_to_publish() -> None:
    draft = ready_draft()
    schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=NOW + HOUR,
        actor=make_user(),
        now=NOW,
    )
    changed = change(draft, document(**CELLS))
    changed.refresh_from_db()
    assert changed.approved_by is None
    assert changed.approval_requested_by is None
    assert changed.publish_at is None


def test_a_faulty_document_is_kept_and_every_fault_named() -> None:
    draft = make_draft()
    kept = change_draft(
        model_id=draft.pk,
        revision=draft.revision,
        definition=document(mql={"cells": ["E9"]}, extra=1),
        actor=make_user(),
        now=NOW,
    )
    assert [problem.path for problem in kept.problems] == ["mql.cells", "extra"]
    kept.model.refresh_from_db()
    assert kept.model.definition["extra"] == 1


def test_who_opened_an_older_revision_is_told_who_was_faster_and_loses_nothing() -> None:
    draft = make_draft()
    mira = make_user(Role.MARKETER, full_name="Mira Ott")
    change(draft, document(**CELLS), actor=mira, now=NOW)

    with pytest.raises(
        DraftChanged, match=r"Mira Ott changed Model v1 at 0?\d+:\d\d UTC"
    ) as caught:
        change_draft(
            model_id=draft.pk,
            revision=draft.revision,
            definition=document(mql={"cells": ["D4"]}),
            actor=make_user(),
            now=NOW,
        )
    assert caught.value.model.definition == document(**CELLS)


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        ({"note": "a\0b"}, "cannot be stored"),
        ({"fit": float("nan")}, "no JSON"),
        ({"fit": {1, 2}}, "no JSON"),
        ({"note": "\ud800"}, "no JSON"),
        ({"note": "x" * 1_000_001}, "longer than 1,000,000"),
    ],
)
def test_what_cannot_be_stored_is_refused(faulty: object, said: str) -> None:
    draft = make_draft()
    with pytest.raises(DefinitionInvalid, match=said):
        change(draft, faulty)


def test_what_is_in_force_cannot_be_changed() -> None:
    model = force_model(now=NOW)
    with pytest.raises(NotADraft):
        change(model, document(**CELLS))


def test_a_discarded_draft_stays_in_the_history_and_keeps_its_number() -> None:
    draft = make_draft(document(**CELLS))
    discarded = discard_draft(model_id=draft.pk, revision=draft.revision, now=NOW + HOUR)
    assert (discarded.state, discarded.was_discarded) == (ModelState.RETIRED, True)
    assert make_draft().version == draft.version + 1

    again = restore(model_id=draft.pk, actor=make_user(), now=NOW + HOUR)
    assert (again.state, again.definition) == (ModelState.DRAFT, document(**CELLS))


def test_a_draft_that_somebody_changed_is_not_discarded_unseen() -> None:
    draft = make_draft()
    change(draft, document(**CELLS))
    with pytest.raises(DraftChanged):
        discard_draft(model_id=draft.pk, revision=draft.revision, now=NOW)


def test_an_old_version_is_restored_as_a_draft_that_names_it() -> None:
    old = force_model(document(**CELLS), now=NOW)
    force_model(now=NOW + HOUR)
    draft = restore(model_id=old.pk, actor=make_user(), now=NOW + HOUR)
    assert (draft.state, draft.based_on, draft.note) == (ModelState.DRAFT, old, "Restores v1")
    assert draft.definition == old.definition

"""Putting a draft in force: its gates, its predecessor, and the model of a past instant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scoring.definition import DefinitionInvalid
from scoring.enums import BackTestState, ModelState
from scoring.models import BackTest, ScoringModel
from scoring.presets import default_definition
from scoring.services import (
    GateClosed,
    ModelInForce,
    NotADraft,
    create_draft,
    definition_of,
    discard_draft,
    ensure_model,
    gates_of,
    install_model,
    model_at,
    publish,
    published_model,
)
from tests.factories import NOW, make_user
from tests.scoring.drafts import approved, back_tested, make_draft, ready_draft, request
from tests.scoring.logs import document, force_model

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_publishing_retires_the_model_before() -> None:
    first = force_model(now=NOW)
    person = make_user()
    second = publish(model_id=ready_draft().pk, now=NOW + DAY, actor=person)
    first.refresh_from_db()
    assert (first.state, first.retired_at) == (ModelState.RETIRED, NOW + DAY)
    assert (second.state, second.published_at) == (ModelState.PUBLISHED, NOW + DAY)
    assert (second.version, second.published_by) == (2, person)
    assert published_model() == second


def test_a_faulty_draft_can_be_kept_but_not_published() -> None:
    draft = make_draft({"fit": 7})
    with pytest.raises(DefinitionInvalid, match="fit must be an object"):
        publish(model_id=draft.pk, now=NOW)
    assert published_model() is None


def test_only_a_draft_can_be_published() -> None:
    model = force_model(now=NOW)
    with pytest.raises(NotADraft, match="Model v1 is published, not a draft"):
        publish(model_id=model.pk, now=NOW + DAY)


def test_a_discarded_draft_cannot_be_published() -> None:
    draft = ready_draft()
    discard_draft(model_id=draft.pk, revision=draft.revision, now=NOW)
    with pytest.raises(NotADraft, match="Model v1 is discarded, not a draft"):
        publish(model_id=draft.pk, now=NOW)


def test_a_draft_that_nobody_approved_is_not_published() -> None:
    draft = request(make_draft())
    back_tested(draft)
    with pytest.raises(GateClosed, match="asked for approval: a second person approves Model v1"):
        publish(model_id=draft.pk, now=NOW)
    assert published_model() is None


def test_a_draft_that_was_not_back_tested_as_it_is_now_is_not_published() -> None:
    draft = ready_draft()
    back_tests = BackTest.objects.filter(model=draft)
    back_tests.update(revision=draft.revision - 1)
    with pytest.raises(GateClosed, match="Back-test Model v1 as it is now"):
        publish(model_id=draft.pk, now=NOW)
    back_tests.update(revision=draft.revision, state=BackTestState.FAILED, error="out of memory")
    with pytest.raises(GateClosed, match="Back-test Model v1 as it is now"):
        publish(model_id=draft.pk, now=NOW)


def test_a_draft_undoes_no_version_that_came_into_force_after_it_was_judged() -> None:
    force_model(now=NOW - DAY)
    draft, other = ready_draft(), ready_draft(document(mql={"cells": ["A1"]}))
    publish(model_id=other.pk, now=NOW + DAY)
    with pytest.raises(GateClosed, match="Back-test Model v2 again: Model v3 came into force"):
        publish(model_id=draft.pk, now=NOW + 2 * DAY)

    back_tested(draft, now=NOW + 2 * DAY)
    with pytest.raises(GateClosed, match="Approve Model v2 again: Model v3 came into force since"):
        publish(model_id=draft.pk, now=NOW + 2 * DAY)

    draft = approved(draft, now=NOW + 2 * DAY)
    assert publish(model_id=draft.pk, now=NOW + 2 * DAY) == published_model()


def test_the_banner_says_what_is_done_by_whom_and_what_is_left() -> None:
    open_gate = gates_of(make_draft(), now=NOW)[-1]
    assert (open_gate.is_done, open_gate.done_by) == (False, None)
    assert open_gate.todo == "Ask a second person to approve Model v1 before it is published."

    draft = ready_draft()
    done = gates_of(draft, now=NOW)[-1]
    assert (done.name, done.is_done, done.done_at) == ("approval", True, NOW)
    assert done.done_by == draft.approved_by


def test_the_model_of_a_past_instant_is_the_one_then_in_force() -> None:
    first, second = (force_model(now=NOW + days * DAY) for days in (0, 1))
    draft = make_draft()
    discard_draft(model_id=draft.pk, revision=draft.revision, now=NOW + 2 * DAY)
    make_draft()
    assert [model_at(NOW + days * DAY) for days in (-1, 0, 0.9, 1, 7)] == [
        first, first, first, second, second
    ]  # fmt: skip


def test_the_rules_of_a_model_in_a_restored_database_are_read_anew() -> None:
    model = force_model(now=NOW)
    assert definition_of(model).cells != {"A1"}
    other = document(mql={"cells": ["A1"]})
    ScoringModel.objects.filter(pk=model.pk).update(definition=other, published_at=NOW + DAY)
    model.refresh_from_db()
    assert definition_of(model).cells == {"A1"}


def test_the_shipped_model_can_be_published() -> None:
    definition = definition_of(install_model(definition=default_definition(), now=NOW))
    assert sum(group.cap for group in definition.groups) == 1000
    assert not definition.moves_with_time


def test_an_installation_without_a_model_gets_the_shipped_one_once() -> None:
    model = ensure_model(now=NOW)
    assert model.definition == default_definition()
    assert ensure_model(now=NOW + DAY) == model


def test_only_the_first_model_comes_into_force_without_its_gates() -> None:
    install_model(definition=document(), now=NOW)
    with pytest.raises(ModelInForce, match="Model v1 is in force: draft the next version"):
        install_model(definition=document(), now=NOW + DAY)


def test_a_faulty_model_is_not_installed() -> None:
    with pytest.raises(DefinitionInvalid):
        install_model(definition={"fit": 7}, now=NOW)
    assert published_model() is None
    assert create_draft(definition=document(), now=NOW).version == 1

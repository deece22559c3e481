from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from scoring.definition import DefinitionInvalid
from scoring.enums import ModelState
from scoring.models import ScoringModel
from scoring.presets import default_definition
from scoring.services import (
    NotADraft,
    create_draft,
    definition_of,
    ensure_model,
    model_at,
    publish,
    published_model,
)
from tests.factories import NOW, make_user
from tests.scoring.logs import document

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_publishing_retires_the_model_before() -> None:
    first = publish(model_id=create_draft(definition=document(), now=NOW).pk, now=NOW)
    person = make_user()
    draft = create_draft(definition=document(), now=NOW)
    second = publish(model_id=draft.pk, now=NOW + DAY, actor=person)
    first.refresh_from_db()
    assert (first.state, first.retired_at) == (ModelState.RETIRED, NOW + DAY)
    assert (second.state, second.published_at) == (ModelState.PUBLISHED, NOW + DAY)
    assert (second.version, second.published_by) == (2, person)
    assert published_model() == second


def test_a_faulty_draft_can_be_kept_but_not_published() -> None:
    draft = create_draft(definition={"fit": 7}, now=NOW)
    with pytest.raises(DefinitionInvalid):
        publish(model_id=draft.pk, now=NOW)
    assert published_model() is None


def test_only_a_draft_can_be_published() -> None:
    model = publish(model_id=create_draft(definition=document(), now=NOW).pk, now=NOW)
    with pytest.raises(NotADraft, match="Model v1 is published, not a draft"):
        publish(model_id=model.pk, now=NOW + DAY)


def test_the_database_refuses_a_second_published_model() -> None:
    publish(model_id=create_draft(definition=document(), now=NOW).pk, now=NOW)
    draft = create_draft(definition=document(), now=NOW)
    with pytest.raises(IntegrityError, match="scoring_model_one_published"), transaction.atomic():
        ScoringModel.objects.filter(pk=draft.pk).update(state="PUBLISHED", published_at=NOW)


def test_the_database_refuses_a_model_in_force_without_a_date() -> None:
    draft = create_draft(definition=document(), now=NOW)
    with (
        pytest.raises(IntegrityError, match="scoring_model_in_force_has_a_date"),
        transaction.atomic(),
    ):
        ScoringModel.objects.filter(pk=draft.pk).update(state="PUBLISHED")


def test_the_database_refuses_an_unknown_state() -> None:
    draft = create_draft(definition=document(), now=NOW)
    with pytest.raises(IntegrityError, match="scoring_model_state"), transaction.atomic():
        ScoringModel.objects.filter(pk=draft.pk).update(state="LIVE", published_at=NOW)


def test_the_model_of_a_past_instant_is_the_one_then_in_force() -> None:
    first, second = (create_draft(definition=document(), now=NOW) for _ in range(2))
    create_draft(definition=document(), now=NOW)
    publish(model_id=first.pk, now=NOW)
    publish(model_id=second.pk, now=NOW + DAY)
    assert [model_at(NOW + days * DAY) for days in (-1, 0, 0.9, 1, 7)] == [
        first, first, first, second, second
    ]  # fmt: skip


def test_the_shipped_model_can_be_published() -> None:
    draft = create_draft(definition=default_definition(), now=NOW)
    model = publish(model_id=draft.pk, now=NOW)
    definition = definition_of(model)
    assert sum(group.cap for group in definition.groups) == 1000
    assert not definition.moves_with_time


def test_an_installation_without_a_model_gets_the_shipped_one_once() -> None:
    model = ensure_model(now=NOW)
    assert model.definition == default_definition()
    assert ensure_model(now=NOW + DAY) == model

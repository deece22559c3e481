"""Coming into force at a time: as ordered, or not at all and somebody is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.common.models import Notification
from scoring.models import ScoringModel
from scoring.services import (
    GateClosed,
    ScheduleRefused,
    publish,
    publish_due_models,
    published_model,
    schedule,
    unschedule,
)
from scoring.tasks import publish_due_models as tick
from tests.factories import NOW, make_user
from tests.scoring.drafts import back_tested, make_draft, ready_draft
from tests.scoring.logs import document, force_model

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def scheduled(definition: dict[str, Any] | None = None) -> ScoringModel:
    draft = ready_draft(definition)
    return schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=NOW + HOUR,
        actor=make_user(),
        now=NOW,
    )


def test_a_draft_comes_into_force_when_its_time_has_come_and_not_before() -> None:
    force_model(now=NOW)
    draft = scheduled()

    assert publish_due_models(now=NOW + HOUR - timedelta(seconds=1)) == 0
    assert publish_due_models(now=NOW + HOUR) == 1
    assert publish_due_models(now=NOW + HOUR) == 0

    model = published_model()
    assert model == draft
    assert (model.published_at, model.published_by) == (NOW + HOUR, draft.scheduled_by)
    assert (model.publish_at, model.scheduled_by) == (None, None)
    assert Notification.objects.filter(title__endswith="v2 is in force").count() == 3


def test_a_late_sweep_dates_the_switch_when_it_was() -> None:
    scheduled()
    publish_due_models(now=NOW + 3 * HOUR)
    model = published_model()
    assert model is not None
    assert model.published_at == NOW + 3 * HOUR


def test_a_draft_whose_gate_closed_meanwhile_stays_a_draft_and_says_why() -> None:
    former = force_model(now=NOW)
    draft = scheduled()
    people = {draft.changed_by, draft.approved_by, draft.scheduled_by}
    ScoringModel.objects.filter(pk=draft.pk).update(definition=document(mql={"cells": []}))

    assert publish_due_models(now=NOW + HOUR) == 1
    assert publish_due_models(now=NOW + HOUR) == 0

    draft.refresh_from_db()
    assert published_model() == former
    assert (draft.is_draft, draft.publish_at) == (True, None)
    assert draft.held_up == "mql names no cell and no fast-track act: no lead would be one"
    told = Notification.objects.filter(title="Scoring model v2 was not published")
    assert {line.recipient for line in told} == people


def test_only_what_is_approved_gets_a_time() -> None:
    draft = make_draft()
    back_tested(draft)
    with pytest.raises(GateClosed, match="Ask a second person"):
        schedule(
            model_id=draft.pk,
            revision=draft.revision,
            publish_at=NOW + HOUR,
            actor=make_user(),
            now=NOW,
        )


@pytest.mark.parametrize("at", [NOW, NOW - HOUR, NOW + timedelta(days=800)])
def test_a_time_that_makes_no_sense_is_refused(at: datetime) -> None:
    draft = ready_draft()
    with pytest.raises(ScheduleRefused, match="between now and two years from now"):
        schedule(
            model_id=draft.pk, revision=draft.revision, publish_at=at, actor=make_user(), now=NOW
        )


def test_a_time_can_be_changed_and_taken_back() -> None:
    draft = scheduled()
    schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=NOW + 2 * HOUR,
        actor=make_user(),
        now=NOW,
    )
    assert publish_due_models(now=NOW + HOUR) == 0

    unschedule(model_id=draft.pk, revision=draft.revision)

    assert publish_due_models(now=NOW + 3 * HOUR) == 0
    draft.refresh_from_db()
    assert draft.approved_by is not None


def test_a_draft_with_a_time_can_be_published_before_it() -> None:
    draft = scheduled()
    publish(model_id=draft.pk, now=NOW)
    assert publish_due_models(now=NOW + HOUR) == 0


def test_the_task_publishes_what_is_due() -> None:
    draft = scheduled()
    ScoringModel.objects.filter(pk=draft.pk).update(publish_at=NOW - HOUR)
    tick()
    assert published_model() == draft

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.celery import app
from scoring.models import ScoringModel
from scoring.services import mark_due
from scoring.tasks import renew_scores, score_due_leads
from tests.factories import make_lead
from tests.scoring.logs import log_act, publish_model, score_of

pytestmark = pytest.mark.django_db


def test_the_sweep_runs_as_a_task_until_nothing_is_due() -> None:
    publish_model()
    now = timezone.now()
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", now - timedelta(days=10))
    mark_due(lead_ids=[lead.pk], now=now)
    score_due_leads.apply().get()
    assert score_of(lead).engagement_score == 5


def test_the_renewal_runs_as_a_task_until_all_scores_are_new() -> None:
    publish_model()
    lead = make_lead()
    ScoringModel.objects.update(rescored_up_to=0)
    renew_scores.apply().get()
    assert score_of(lead).engagement_score == 0
    assert ScoringModel.objects.get().rescored_up_to is None


@pytest.mark.parametrize("task", ["scoring.score_due_leads", "scoring.renew_scores"])
def test_beat_wakes_the_task_and_lets_late_messages_expire(task: str) -> None:
    [tick] = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == task]
    assert tick["options"]["expires"] == tick["schedule"]

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from crm.accounts.enums import Role
from leads.enums import LifecycleStage
from leads.models import StageInterval
from leads.services import change_stage
from scoring.services import mark_due
from tests.factories import NOW, make_lead, make_user
from tests.scoring.logs import log_act, publish_model, settle

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_a_move_by_a_person_keeps_the_score_of_that_moment() -> None:
    """Red without the receiver: only moves by a sweep know the score."""
    model = publish_model()
    lead = make_lead(country="DE")
    log_act(lead.pk, "DOWNLOAD")
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()

    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.DISQUALIFIED,
        now=NOW + HOUR,
        actor=make_user(Role.MARKETER),
        reason="A student",
    )

    move = StageInterval.objects.current().get(lead=lead)
    assert (move.model_version, move.fit_score, move.engagement_score, move.cell) == (
        model.version,
        Decimal(70),
        Decimal(10),
        "B4",
    )


def test_a_lead_that_was_never_scored_moves_without_a_score() -> None:
    publish_model()
    lead = make_lead()
    mark_due(lead_ids=[lead.pk], now=NOW)

    change = change_stage(lead_id=lead.pk, to_stage=LifecycleStage.DISQUALIFIED, now=NOW)

    change.refresh_from_db()
    assert (change.model_version, change.engagement_score, change.cell) == (None, None, "")

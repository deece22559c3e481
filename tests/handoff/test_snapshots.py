from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from crm.accounts.enums import Role
from handoff.models import Handoff
from leads.enums import LifecycleStage
from leads.services import change_stage
from scoring.services import mark_due
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import make_calendar, make_rep
from tests.scoring.logs import log_act, publish_model, settle

pytestmark = pytest.mark.django_db


def test_a_handoff_opened_by_hand_shows_the_score_of_that_moment() -> None:
    """Red when handoffs hear of a move before scoring does: the score comes too late."""
    publish_model()
    make_calendar()
    make_rep(make_team())
    lead = make_lead(country="DE")
    log_act(lead.pk, "DOWNLOAD")
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()

    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.MQL,
        now=NOW + timedelta(hours=1),
        actor=make_user(Role.MANAGER),
        reason="Met at the fair",
    )

    handoff = Handoff.objects.get(lead=lead)
    assert (handoff.score, handoff.cell) == (Decimal(10), "B4")

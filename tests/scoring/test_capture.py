"""Leads that a form captured are judged in the transaction of the form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from engagement.enums import EventKind
from engagement.services import record_event
from engagement.signals import lead_captured
from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval
from leads.services import create_lead
from scoring.models import LeadScore
from scoring.services import score_due_leads
from tests.factories import NOW
from tests.scoring.logs import document, publish_model, score_of

pytestmark = pytest.mark.django_db

AUSTRIA = {"field": "country", "op": "in", "value": ["AT"]}


def capture(kind: EventKind, **values: Any) -> Lead:
    """Capture a lead as a form does: who, what they did, then the signal."""
    lead = create_lead(now=NOW, email="ines@kesterwald.example", **values)
    record_event(lead_id=lead.pk, kind=kind, occurred_at=NOW, now=NOW)
    lead_captured.send(sender=Lead, lead_ids=[lead.pk], now=NOW)
    return lead


def move_of(lead: Lead) -> StageInterval:
    return StageInterval.objects.current().get(lead=lead)


def test_a_captured_lead_has_its_fit_at_once() -> None:
    publish_model()

    lead = capture(EventKind.FORM_SUBMIT, country="DE")

    score = score_of(lead)
    assert (score.fit_grade, score.persona, score.computed_at) == (
        "B", "Maintenance lead", NOW
    )  # fmt: skip
    assert score_due_leads(now=NOW) == 0


def test_a_buying_act_by_form_makes_an_mql_at_once() -> None:
    publish_model()

    lead = capture(EventKind.DEMO_REQUEST)

    move = move_of(lead)
    assert (move.stage, move.rule) == (LifecycleStage.MQL, "Fast track: asked for a demo")


def test_a_disqualifier_comes_before_a_buying_act() -> None:
    publish_model(document(disqualifiers=[{"reason": "Not served", "criteria": AUSTRIA}]))

    lead = capture(EventKind.DEMO_REQUEST, country="AT")

    move = move_of(lead)
    assert (move.stage, move.reason) == (LifecycleStage.DISQUALIFIED, "Not served")


def test_without_a_model_the_lead_is_captured_all_the_same() -> None:
    lead = capture(EventKind.DEMO_REQUEST)

    assert move_of(lead).stage == LifecycleStage.LEAD


def test_a_score_that_fails_is_left_to_the_sweep_and_the_lead_is_captured() -> None:
    publish_model()
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE scoring_leadscore ADD CONSTRAINT broken CHECK (computed_at IS NULL)"
        )

    lead = capture(EventKind.FORM_SUBMIT, country="DE")

    assert Lead.objects.filter(pk=lead.pk).exists()
    kept = LeadScore.objects.get(pk=lead.pk)
    assert kept.computed_at is None
    assert kept.score_due_at == NOW + timedelta(minutes=5)

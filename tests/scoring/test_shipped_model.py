"""What the model that Baton ships with says of whom nobody wants to be called."""

from __future__ import annotations

from typing import Any

import pytest

from leads.enums import ConsentPurpose, DealOutcome
from leads.models import Company, Deal
from leads.services import record_consent
from scoring.services import ensure_model, explain, mark_due, score_due_leads
from tests.factories import NOW, make_lead
from tests.scoring.logs import log_act
from tests.scoring.test_releasing import DAY, HOUR

pytestmark = pytest.mark.django_db

BUYER: dict[str, Any] = {"title": "Head of maintenance", "country": "DE"}


@pytest.mark.parametrize(
    ("fields", "out"),
    [
        ({"email": "mia@competitor.example"}, "Competitor"),
        ({"country": "KP"}, "Country under embargo"),
        ({"title": "Working student"}, "Student or trainee"),
        ({"title": "Trainee"}, "Student or trainee"),
        ({}, ""),
        ({"country": "", "title": "", "email": "mia@gmail.com"}, ""),
    ],
)
def test_who_is_out_is_disqualified_with_the_reason(fields: dict[str, str], out: str) -> None:
    ensure_model(now=NOW - DAY)
    lead = make_lead(created_at=NOW - HOUR, **{**BUYER, **fields})
    log_act(lead.pk, "DEMO_REQUEST", NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)
    score_due_leads(now=NOW)
    lead.refresh_from_db()
    assert lead.stage == ("DISQUALIFIED" if out else "MQL")
    assert explain(lead_id=lead.pk, as_of=NOW).disqualified_by == out


def test_customers_and_whoever_took_the_consent_back_are_blocked() -> None:
    ensure_model(now=NOW - DAY)
    firm = Company.objects.create(name="Kesterwald", created_at=NOW - DAY)
    colleague, bought = make_lead(company=firm, **BUYER), make_lead(company=firm)
    Deal.objects.create(
        lead=bought, cycle=1, outcome=DealOutcome.WON, closed_at=NOW - DAY, created_at=NOW - DAY
    )
    silent = make_lead(**BUYER)
    record_consent(
        lead_id=silent.pk, purpose=ConsentPurpose.CONTACT, text="", source="By phone",
        asked_at=NOW - HOUR, given_at=NOW - HOUR, is_granted=False,
        now=NOW - HOUR,
    )  # fmt: skip
    blocked = [
        explain(lead_id=lead.pk, as_of=NOW).blocked_by for lead in (colleague, silent, make_lead())
    ]
    assert blocked == ["Existing customer", "Consent to contact was withdrawn", ""]

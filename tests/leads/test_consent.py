from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.urls import reverse

from crm.accounts.enums import Role
from leads.enums import ConsentPurpose
from leads.models import Consent, Lead
from leads.services import record_consent
from scoring.models import LeadScore
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
TEXT = "Yes, send me the newsletter. I can stop it at any time."


def agree(lead: Lead, **fields: Any) -> Consent:
    said: dict[str, Any] = {
        "purpose": ConsentPurpose.MARKETING,
        "text": TEXT,
        "source": "Form Newsletter v2",
        "asked_at": NOW,
        "given_at": NOW,
        "now": NOW,
        **fields,
    }
    return record_consent(lead_id=lead.pk, **said)


def test_consent_keeps_what_was_read_word_for_word() -> None:
    consent = agree(make_lead(), given_at=NOW + HOUR)

    consent.refresh_from_db()
    assert (consent.text, consent.text_hash) == (TEXT, hashlib.sha256(TEXT.encode()).hexdigest())
    assert (consent.asked_at, consent.given_at) == (NOW, NOW + HOUR)


@pytest.mark.parametrize("is_granted", [True, False])
def test_what_was_said_long_ago_makes_a_score_due_when_it_is_written_down(is_granted: bool) -> None:
    """Red when the time of the consent is announced: it would come before all that is due."""
    lead = make_lead()
    long_ago = NOW - 10_000 * HOUR

    agree(lead, asked_at=long_ago, given_at=long_ago, is_granted=is_granted)

    assert LeadScore.objects.get(lead=lead).score_due_at == NOW


def test_the_last_word_on_each_purpose_holds() -> None:
    lead, other = make_lead(), make_lead()
    agree(lead)
    agree(lead, purpose=ConsentPurpose.CONTACT)
    withdrawn = agree(lead, is_granted=False, asked_at=NOW + HOUR, given_at=NOW + HOUR)
    agree(other)

    held = {consent.purpose: consent.is_granted for consent in lead.consents.in_force()}

    assert held == {"CONTACT": True, "MARKETING": False}
    assert withdrawn in lead.consents.in_force()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"given_at": NOW - HOUR}, "consent_given_after_it_was_asked"),
        ({"text": ""}, "consent_granted_to_a_text"),
        ({"purpose": "EVERYTHIN"}, "consent_purpose_is_known"),
    ],
)
def test_the_database_refuses_a_consent_that_cannot_be(fields: dict[str, Any], name: str) -> None:
    lead = make_lead()

    with pytest.raises(IntegrityError, match=name):
        agree(lead, **fields)


def test_the_lead_page_shows_what_the_lead_agreed_to() -> None:
    lead = make_lead()
    agree(lead, text="<script>alert(1)</script>", given_at=NOW + HOUR)
    address = reverse("leads:detail", args=[lead.pk])

    page = client_of(make_user(Role.MARKETER)).get(address).content.decode()

    assert "12 May 2026</span>" in page
    assert "asked 12 May 2026, 09:00, confirmed 12 May 2026, 10:00" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page

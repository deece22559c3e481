"""A lead takes a consent back: to a colleague, or by unsubscribing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from engagement.enums import Actor, EventKind
from engagement.services import record_event
from leads.enums import ConsentPurpose
from leads.models import Consent, Lead
from scoring.services import ensure_model, score_due_leads
from tests.factories import NOW, client_of, make_lead, make_user
from tests.leads.test_consent import agree
from tests.scoring.logs import score_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
SAID = {"purpose": "CONTACT", "channel": "PHONE", "withdrawn_at": "", "text": "Do not call me"}


def send(lead: Lead, role: Role = Role.REP, **fields: Any) -> Any:
    client = client_of(make_user(role, full_name="Jonas Weber"))
    return client.post(reverse("leads:consent", args=[lead.pk]), {**SAID, **fields})


def words(lead: Lead) -> list[tuple[str, bool]]:
    said = Consent.objects.filter(lead=lead).order_by("id")
    return list(said.values_list("purpose", "is_granted"))


def test_a_colleague_records_what_a_lead_took_back_and_how() -> None:
    lead = make_lead()
    agree(lead, purpose=ConsentPurpose.CONTACT)
    person = make_user(Role.MARKETER, full_name="Mira Feldkamp")
    client = client_of(person)

    answer = client.post(reverse("leads:consent", args=[lead.pk]), SAID)

    assert answer["Location"] == f"/leads/{lead.pk}/"
    assert words(lead) == [("CONTACT", True), ("CONTACT", False)]
    last = Consent.objects.latest("id")
    assert (last.source, last.text, last.recorded_by) == ("By phone", "Do not call me", person)
    assert last.given_at - timezone.now() < HOUR
    page = client.get(f"/leads/{lead.pk}/").content.decode()
    assert "By phone, recorded by Mira Feldkamp" in page
    assert "Form Newsletter v2" in page
    assert "not asked" in page


def test_a_rep_records_it_of_their_leads() -> None:
    rep = make_user(Role.REP)
    lead = make_lead(owner=rep)
    address = reverse("leads:consent", args=[lead.pk])
    assert "Withdraw consent" in client_of(rep).get(address).content.decode()
    assert client_of(rep).post(address, SAID).status_code == 302
    assert words(lead) == [("CONTACT", False)]


def test_a_form_sent_twice_is_kept_once() -> None:
    lead, client = make_lead(), client_of(make_user(Role.MARKETER))
    for _ in range(2):
        client.post(reverse("leads:consent", args=[lead.pk]), {**SAID, "form_token": "one"})
    assert words(lead) == [("CONTACT", False)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"withdrawn_at": "2100-05-01T09:00"}, "This time is still to come."),
        ({"withdrawn_at": "2020-05-01T09:00"}, "They agreed again at"),
        ({"withdrawn_at": "yesterday"}, "Enter a valid date/time."),
        ({"purpose": "ALL"}, "Select a valid choice."),
        ({"channel": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(fields: dict[str, str], told: str) -> None:
    lead = make_lead()
    agree(lead, purpose=ConsentPurpose.CONTACT)
    answer = send(lead, Role.MARKETER, **fields)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert words(lead) == [("CONTACT", True)]


def unsubscribed(lead: Lead, at: Any, **fields: Any) -> None:
    record_event(
        lead_id=lead.pk, kind=EventKind.UNSUBSCRIBE, occurred_at=at, now=at + HOUR, **fields
    )


def test_who_unsubscribes_takes_back_the_consent_to_marketing_mail() -> None:
    lead = make_lead()
    agree(lead)
    agree(lead, purpose=ConsentPurpose.CONTACT)
    for hours in (1, 2):
        unsubscribed(lead, NOW + hours * HOUR)
    last = Consent.objects.latest("id")
    assert words(lead) == [("MARKETING", True), ("CONTACT", True), ("MARKETING", False)]
    assert (last.source, last.given_at) == ("Unsubscribed", NOW + HOUR)


def test_who_agreed_again_later_stays_agreed() -> None:
    lead = make_lead()
    agree(lead, asked_at=NOW + 2 * HOUR, given_at=NOW + 2 * HOUR)
    unsubscribed(lead, NOW)
    assert words(lead) == [("MARKETING", True)]


def test_a_scanner_takes_nothing_back() -> None:
    lead = make_lead()
    agree(lead)
    unsubscribed(lead, NOW + HOUR, actor=Actor.MACHINE)
    assert words(lead) == [("MARKETING", True)]


def test_who_may_not_be_contacted_is_outside_the_shipped_definition() -> None:
    ensure_model(now=NOW - 9 * HOUR)
    lead = make_lead(email="ines@kesterwald.example", country="DE", title="Head of maintenance")
    send(lead, Role.MARKETER)
    record_event(
        lead_id=lead.pk,
        kind=EventKind.DEMO_REQUEST,
        occurred_at=timezone.now(),
        now=timezone.now(),
    )
    score_due_leads(now=timezone.now())
    lead.refresh_from_db()
    assert (lead.stage, score_of(lead).meets_definition) == ("LEAD", False)

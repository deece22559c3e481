"""Whose browser sent a form: proven for whom nobody knew, a claim for whom somebody may name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engagement.enums import LinkReason
from engagement.models import Event, Visitor, VisitorLink
from engagement.services import absorb_events, link_visitor, receive
from engagement.services.submissions import confirm_submission
from leads.models import Lead
from tests.engagement.form_making import make_form, make_newsletter, send
from tests.factories import NOW, make_lead

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
INES = "ines@kesterwald.example"
BROWSER = {"anonymous_id": "browser-1"}


def view_page() -> None:
    """Let the browser look at a page as nobody."""
    page = {"type": "page", "messageId": "m1", "anonymousId": "browser-1",
            "timestamp": (NOW - HOUR).isoformat(), "properties": {"path": "/pricing"}}  # fmt: skip
    receive(source="website", messages=[page], received_at=NOW - HOUR)
    absorb_events(now=NOW - HOUR)


def acts() -> set[tuple[str, int | None]]:
    return set(Event.objects.values_list("kind", "lead"))


def test_what_the_browser_did_before_belongs_to_the_new_lead_from_then_on() -> None:
    view_page()

    send(make_form(), arrival=BROWSER)

    lead, link = Lead.objects.get(), VisitorLink.objects.get()
    assert (link.lead, link.reason, link.proven_at) == (lead, LinkReason.FORM, NOW)
    assert acts() == {("PAGE_VIEW", lead.pk), ("FORM_SUBMIT", lead.pk)}


def test_the_address_of_a_known_lead_is_a_claim_of_the_browser() -> None:
    """Red when a form proves the browser: anybody can type anybody's address."""
    lead = make_lead(email=INES)
    view_page()

    submission = send(make_form(), arrival=BROWSER)

    claim, visitor = VisitorLink.objects.get(), Visitor.objects.get()
    assert (claim.lead, claim.reason, claim.proven_at) == (lead, LinkReason.FORM, None)
    assert (visitor.lead, visitor.claim) == (None, claim)
    assert submission.lead == lead
    assert acts() == {("PAGE_VIEW", None), ("FORM_SUBMIT", lead.pk)}
    assert Event.objects.get(kind="FORM_SUBMIT").visitor == visitor


def test_the_second_form_of_one_person_claims_nothing() -> None:
    for after in (timedelta(0), HOUR):
        send(make_form(), arrival=BROWSER, now=NOW + after)

    assert VisitorLink.objects.get().proven_at == NOW
    assert Visitor.objects.get().claim is None


def test_a_colleagues_address_takes_nothing_from_whom_the_browser_is_proven_to_be() -> None:
    ada, lead = make_lead(email="ada@kesterwald.example"), make_lead(email=INES)
    link_visitor(anonymous_id="browser-1", lead_id=ada.pk, reason=LinkReason.SERVER, now=NOW - HOUR)

    send(make_form(), arrival=BROWSER)

    visitor = Visitor.objects.select_related("claim").get()
    assert visitor.claim is not None
    assert (visitor.lead, visitor.claim.lead) == (ada, lead)


def test_who_confirms_the_address_is_proven_though_the_lead_was_known() -> None:
    lead = make_lead(email=INES)
    view_page()
    waiting = send(make_newsletter(), has_consent=True, arrival=BROWSER)

    confirm_submission(submission_id=waiting.pk, now=NOW + HOUR)

    assert VisitorLink.objects.get().proven_at == NOW + HOUR
    assert acts() == {("PAGE_VIEW", lead.pk), ("NEWSLETTER_SIGNUP", lead.pk)}

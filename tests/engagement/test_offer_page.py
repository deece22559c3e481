"""The public page of an offer: who may accept, how often it counts, and what it never does."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from engagement.enums import EventKind, LinkReason, OfferKind
from engagement.models import Event, Offer, VisitorLink
from engagement.services import OfferClosed, accept_offer, offer_url
from engagement.services.acceptance import LINK_LASTS, SAME_ACCEPTANCE
from engagement.tokens import prove
from leads.models import Lead
from tests.engagement.content import make_asset, make_offer
from tests.engagement.inbox import absorb, message
from tests.factories import NOW, make_lead

pytestmark = pytest.mark.django_db


def link_for(offer: Offer, lead: Lead, age: timedelta = timedelta(0)) -> tuple[str, str]:
    """Return the path of an accept link, and its token."""
    link = urlsplit(offer_url(offer=offer, lead_id=lead.pk, now=timezone.now() - age))
    return f"{link.path}?{link.query}", link.query.removeprefix("baton_t=")


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (OfferKind.DEMO, EventKind.DEMO_REQUEST),
        (OfferKind.CONSULTATION, EventKind.CONSULTATION_REQUEST),
        (OfferKind.TRIAL, EventKind.TRIAL_START),
        (OfferKind.PROMOTION, EventKind.PROMOTION_ACCEPTED),
    ],
)
def test_a_lead_accepts_with_one_press(kind: OfferKind, event: EventKind) -> None:
    asset, lead = make_asset(), make_lead()
    offer = make_offer(slug="spring", kind=kind, asset=asset, is_fast_track=False)
    page, token = link_for(offer, lead)

    assert 'method="post"' in Client().get(page).content.decode()
    answer = Client().post("/o/spring/", {"baton_t": token})

    assert (answer.status_code, answer["Location"]) == (302, "/o/spring/accepted/")
    made = Event.objects.get()
    assert (made.kind, made.lead_id, made.asset_id) == (event, lead.pk, asset.pk)
    assert made.properties == {"offer": "spring", "fast_track": False}


def test_opening_the_page_accepts_nothing() -> None:
    page, _ = link_for(make_offer(), make_lead())

    Client().get(page)
    Client().head(page)

    assert not Event.objects.exists()


def test_pressing_twice_is_accepting_once() -> None:
    offer = make_offer()
    _, token = link_for(offer, make_lead())

    for _ in range(2):
        Client().post(f"/o/{offer.slug}/", {"baton_t": token})

    assert Event.objects.count() == 1


def test_accepting_again_another_day_is_another_act() -> None:
    offer, other, lead = make_offer(), make_offer(), make_lead()

    accept_offer(offer=offer, lead_id=lead.pk, now=NOW)
    accept_offer(offer=other, lead_id=lead.pk, now=NOW)
    accept_offer(offer=offer, lead_id=lead.pk, now=NOW + SAME_ACCEPTANCE)

    assert Event.objects.count() == 3


def test_what_a_tracked_link_of_a_mail_adds_is_good_too() -> None:
    offer, lead = make_offer(), make_lead()
    proof = prove(lead_id=lead.pk, reason=LinkReason.EMAIL_CLICK, now=timezone.now())

    Client().post(f"/o/{offer.slug}/", {"baton_t": proof})

    assert Event.objects.get().lead_id == lead.pk


@pytest.mark.parametrize("token", ["", "x", "of another offer", "too old"])
def test_who_shows_nothing_good_accepts_nothing(token: str) -> None:
    offer, lead = make_offer(), make_lead()
    if token == "of another offer":
        _, token = link_for(make_offer(), lead)
    elif token == "too old":
        _, token = link_for(offer, lead, LINK_LASTS + timedelta(seconds=5))

    answer = Client().post(f"/o/{offer.slug}/", {"baton_t": token})

    assert answer.status_code == 200
    assert 'name="baton_t"' not in answer.content.decode()
    assert not Event.objects.exists()


@pytest.mark.parametrize("end", [{"is_active": False}, {"expires_at": NOW}])
def test_an_offer_that_has_ended_cannot_be_accepted(end: dict[str, object]) -> None:
    offer, lead = make_offer(**end), make_lead()
    page, token = link_for(offer, lead)

    assert Client().get(page).status_code == 410
    assert Client().post(f"/o/{offer.slug}/", {"baton_t": token}).status_code == 410
    with pytest.raises(OfferClosed):
        accept_offer(offer=offer, lead_id=lead.pk, now=NOW)
    assert not Event.objects.exists()


def test_the_browser_that_accepts_is_the_leads_from_then_on() -> None:
    offer, lead = make_offer(), make_lead()
    absorb(message("m-1"), now=timezone.now())
    _, token = link_for(offer, lead)

    Client().post(f"/o/{offer.slug}/", {"baton_t": token, "baton_id": "laptop"})

    link = VisitorLink.objects.get()
    assert (link.lead_id, link.reason, link.visitor.name) == (lead.pk, "OFFER_LINK", "laptop")
    assert {event.lead_id for event in Event.objects.all()} == {lead.pk}
    assert set(Event.objects.values_list("visitor", flat=True)) == {link.visitor_id}


@pytest.mark.parametrize("name", ["x" * 201, "lap\x00top", "lap\ntop"])
def test_an_impossible_browser_is_nobodys(name: str) -> None:
    offer, lead = make_offer(), make_lead()
    _, token = link_for(offer, lead)

    Client().post(f"/o/{offer.slug}/", {"baton_t": token, "baton_id": name})

    assert Event.objects.get().lead_id == lead.pk
    assert not VisitorLink.objects.exists()

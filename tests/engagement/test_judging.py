"""What absorbing makes of who sent a message, from where, and after what."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from engagement.enums import OWN_SOURCE, Actor, EventKind, SourceKind
from engagement.models import Agent, Event, Source
from engagement.services import absorb_events, receive
from tests.engagement.inbox import CHROME, NOW, message
from tests.factories import make_lead

ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
META = {"address": "203.0.113.9", "agent": ROBOT, "purpose": ""}


def make_source(kind: SourceKind, **fields: Any) -> Source:
    return Source.objects.create(
        name="site", label="Site", kind=kind, write_key="k", created_at=NOW, **fields
    )


def absorbed(body: dict[str, Any], source: str = "site", **meta: str) -> Event:
    receive(source=source, messages=[body], received_at=NOW, meta={**META, **meta})
    absorb_events(now=NOW)
    return Event.objects.get()


@pytest.mark.django_db
def test_a_browser_that_does_not_name_itself_is_known_by_its_request() -> None:
    make_source(SourceKind.WEBSITE)

    event = absorbed(message("m", context={}))

    assert (event.actor, event.actor_reason) == (Actor.MACHINE, "Known robot: googlebot")


@pytest.mark.django_db
def test_what_a_message_says_of_its_browser_goes_before_the_request() -> None:
    make_source(SourceKind.WEBSITE)

    assert absorbed(message("m", context={"userAgent": CHROME})).actor == Actor.HUMAN


@pytest.mark.django_db
def test_the_program_of_a_server_says_nothing_of_the_people_it_reports() -> None:
    make_source(SourceKind.SERVER)

    with override_settings(HOSTING_NETWORKS=["203.0.113.0/24"]):
        event = absorbed(message("m", context={}))

    assert (event.actor, event.agent_id) == (Actor.HUMAN, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("networks", "actor"), [(["203.0.113.0/24"], Actor.MACHINE), ([], Actor.HUMAN)]
)
def test_a_browser_in_a_hosting_network_is_a_machine(networks: list[str], actor: Actor) -> None:
    make_source(SourceKind.WEBSITE)

    with override_settings(HOSTING_NETWORKS=networks):
        event = absorbed(message("m"))

    assert event.actor == actor
    assert "203.0.113.9" not in f"{event.properties} {event.actor_reason}"


@pytest.mark.django_db
def test_a_page_loaded_ahead_is_told_by_the_request() -> None:
    make_source(SourceKind.WEBSITE)

    event = absorbed(message("m"), purpose="prefetch;prerender")

    assert event.actor_reason == "Loaded ahead by the browser"


@pytest.mark.django_db(transaction=True)
def test_agents_are_written_down_once_the_events_are() -> None:
    agents = [CHROME, ROBOT, CHROME, "x" * 900]
    bodies = [
        message(f"m-{number}", context={"userAgent": agent}) for number, agent in enumerate(agents)
    ]
    receive(source="site", messages=bodies, received_at=NOW)
    absorb_events(now=NOW)

    events = Event.objects.select_related("agent").order_by("occurred_at", "id")
    named = sorted(event.agent.name for event in events if event.agent)
    assert named == sorted([CHROME, CHROME, ROBOT, "x" * 500])
    assert Agent.objects.count() == 3


@pytest.mark.django_db
def test_an_arrival_keeps_what_brought_it_and_other_events_do_not() -> None:
    make_source(SourceKind.WEBSITE, allowed_origins=["https://shop.halvorn.com"])
    page = {"url": "https://halvorn.example/prices", "referrer": "https://www.google.com/"}
    inside = {"url": "https://halvorn.example/", "referrer": "https://shop.halvorn.com/cart"}
    bodies = [
        message("from-google", context={"userAgent": CHROME, "page": page}),
        message("from-our-shop", context={"userAgent": CHROME, "page": inside}),
        message(
            "no-page", type="track", event="Asset Downloaded",
            context={"userAgent": CHROME, "page": page},
        ),
    ]  # fmt: skip
    receive(source="site", messages=bodies, received_at=NOW)
    absorb_events(now=NOW)

    assert [event.touch for event in Event.objects.all() if event.touch] == [
        {"source": "google", "medium": "organic", "referrer": "google.com"}
    ]


@pytest.mark.django_db
def test_a_message_of_our_own_names_its_lead() -> None:
    lead = make_lead()
    body = {"type": "track", "event": "Email clicked", "leadId": lead.pk, "messageId": "m"}

    event = absorbed(body, source=OWN_SOURCE, agent=CHROME)

    assert (event.lead_id, event.visitor_id, event.kind) == (lead.pk, None, EventKind.EMAIL_CLICK)
    assert (event.actor, event.touch["medium"]) == (Actor.HUMAN, "email")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", SourceKind)
def test_nobody_else_can_name_a_lead(kind: SourceKind) -> None:
    """Red for servers when every source may name one."""
    lead = make_lead()
    make_source(kind)

    event = absorbed({**message("m"), "leadId": lead.pk})

    assert event.lead is None


@pytest.mark.django_db
def test_an_event_of_a_lead_that_was_deleted_meanwhile_is_nobodys() -> None:
    body = {"type": "track", "event": "Email clicked", "leadId": 987654, "messageId": "m"}

    assert absorbed(body, source=OWN_SOURCE, agent=CHROME).lead_id is None

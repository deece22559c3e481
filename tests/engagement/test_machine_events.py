"""The list of machine events, and people who say who caused an event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from engagement.enums import Actor, EventKind
from engagement.models import ActorDecision, Event
from engagement.services import decide_actor, record_event, withdraw_decision
from leads.models import Lead
from scoring.models import LeadScore
from tests.factories import client_of, make_lead, make_user

LIST = "/tracking/machine-events/"
ROBOT: dict[str, Any] = {"actor": Actor.MACHINE, "actor_reason": "Known robot: googlebot"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def lead(now: datetime) -> Lead:
    return make_lead(created_at=now - timedelta(days=90))


@pytest.fixture
def ines() -> User:
    return make_user(Role.MARKETER, full_name="Ines Kallweit")


@pytest.fixture
def browser(ines: User) -> Client:
    return client_of(ines)


def seen(lead: Lead, now: datetime, minutes_ago: int = 5, **details: Any) -> Event:
    at = now - timedelta(minutes=minutes_ago)
    return record_event(
        lead_id=lead.pk, kind=EventKind.PAGE_VIEW, occurred_at=at, now=now, **details
    )


def say(browser: Client, event: Event, actor: str, on: str = "") -> Any:
    url = reverse("engagement:event_actor", args=[event.id]) + (f"?on={on}" if on else "")
    return browser.post(url, {"actor": actor}, headers={"HX-Request": "true"})


def test_the_list_has_what_machines_did_and_why(browser: Client, lead: Lead, now: datetime) -> None:
    seen(lead, now, name="Prices", **ROBOT)
    seen(lead, now, name="Read by a person")

    page = browser.get(LIST).content.decode()

    assert "Viewed Prices" in page
    assert "Known robot: googlebot" in page
    assert str(lead) in page
    assert "Read by a person" not in page


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", {"Robot", "Ahead"}),
        ("rule=ROBOT", {"Robot"}),
        ("rule=AHEAD", {"Ahead"}),
        ("rule=UNSAID", {"Unsaid"}),
        ("rule=HIDDEN_LINK", set()),
        ("rule=nonsense&period=nonsense", {"Robot", "Ahead"}),
        ("period=all", {"Robot", "Ahead", "Old"}),
        ("rule=ROBOT&period=all", {"Robot"}),
    ],
)
def test_the_list_is_filtered_by_reason_and_period(
    browser: Client, lead: Lead, now: datetime, query: str, titles: set[str]
) -> None:
    seen(lead, now, name="Robot", **ROBOT)
    seen(lead, now, name="Old", minutes_ago=60 * 24 * 40, **ROBOT)
    ahead: dict[str, Any] = {"actor": Actor.MACHINE, "actor_reason": "Loaded ahead by the browser"}
    seen(lead, now, name="Ahead", **ahead)
    unsaid: dict[str, Any] = {
        "actor": Actor.UNKNOWN,
        "actor_reason": "The browser does not say what it is",
    }
    seen(lead, now, name="Unsaid", **unsaid)

    response = browser.get(f"{LIST}?{query}")

    assert {row.event.name for row in response.context["rows"]} == titles


def test_one_rule_is_looked_for_in_a_period_only(browser: Client) -> None:
    """A rule has no index: without an end it would be looked for among all events there are."""
    assert "period=all" in browser.get(LIST).content.decode()
    assert "period=all" in browser.get(f"{LIST}?rule=DECIDED").content.decode()
    assert "period=all" not in browser.get(f"{LIST}?rule=ROBOT").content.decode()


def test_what_a_machine_does_is_no_news_of_a_lead(lead: Lead, now: datetime) -> None:
    seen(lead, now, **ROBOT)
    assert not LeadScore.objects.exists()

    seen(lead, now)
    assert LeadScore.objects.get().news_at == now


def test_pages_have_every_event_once(browser: Client, lead: Lead, now: datetime) -> None:
    for _ in range(120):
        seen(lead, now, **ROBOT)

    found, cursor = [], ""
    while True:
        page = browser.get(LIST, {"cursor": cursor}).context["page"]
        found += [event.id for event in page.items]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor

    assert (len(found), len(set(found))) == (120, 120)


def test_the_list_costs_the_same_for_more_rows(browser: Client, lead: Lead, now: datetime) -> None:
    counts = []
    for _ in (1, 3):
        seen(lead, now, **ROBOT)
        seen(make_lead(), now, **ROBOT)
        with CaptureQueriesContext(connection) as queries:
            browser.get(LIST)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_one_click_restores_an_event_and_scores_it(
    browser: Client, lead: Lead, now: datetime
) -> None:
    event = seen(lead, now, **ROBOT)
    LeadScore.objects.filter(lead=lead).update(score_due_at=None)

    row = say(browser, event, "HUMAN").content.decode()

    event.refresh_from_db()
    lead.refresh_from_db()
    assert (event.actor, event.actor_reason) == (Actor.HUMAN, "Restored by Ines Kallweit")
    assert "Undo" in row
    assert LeadScore.objects.get(lead=lead).score_due_at is not None
    assert lead.last_activity_at == event.occurred_at


def test_undo_makes_the_event_what_it_was(browser: Client, lead: Lead, now: datetime) -> None:
    event = seen(lead, now, **ROBOT)
    say(browser, event, "HUMAN")

    row = say(browser, event, "").content.decode()

    event.refresh_from_db()
    lead.refresh_from_db()
    assert (event.actor, event.actor_reason) == (Actor.MACHINE, "Known robot: googlebot")
    assert "Restore" in row
    assert not ActorDecision.objects.exists()
    assert lead.last_activity_at == lead.created_at


def test_decisions_can_be_found_and_undone_later(
    browser: Client, lead: Lead, now: datetime
) -> None:
    event = seen(lead, now, name="Prices", **ROBOT)
    say(browser, event, "HUMAN")

    response = browser.get(f"{LIST}?rule=DECIDED")

    assert [row.event.id for row in response.context["rows"]] == [event.id]
    assert "Undo" in response.content.decode()


def test_an_act_is_marked_as_a_machines_on_the_timeline(
    browser: Client, lead: Lead, now: datetime
) -> None:
    event = seen(lead, now, name="Prices")

    item = say(browser, event, "MACHINE", on="timeline").content.decode()

    event.refresh_from_db()
    assert event.actor_reason == "Marked as a machine by Ines Kallweit"
    assert item.lstrip().startswith('<li class="act is-machine">')
    assert "Undo" in item
    assert "Mark as machine" in say(browser, event, "", on="timeline").content.decode()


def test_deciding_twice_and_undoing_returns_to_what_rules_said(
    ines: User, lead: Lead, now: datetime
) -> None:
    event = seen(lead, now, **ROBOT)
    decide_actor(event_id=event.id, actor=Actor.HUMAN, decided_by=ines, now=now)
    decide_actor(event_id=event.id, actor=Actor.MACHINE, decided_by=ines, now=now)

    withdraw_decision(event_id=event.id, now=now)

    event.refresh_from_db()
    assert event.actor_reason == "Known robot: googlebot"


def test_without_scripts_a_decision_leads_back_to_the_lead(
    browser: Client, lead: Lead, now: datetime
) -> None:
    event = seen(lead, now, **ROBOT)

    response = browser.post(reverse("engagement:event_actor", args=[event.id]), {"actor": "HUMAN"})

    assert response["Location"] == reverse("leads:detail", args=[lead.pk])


@pytest.mark.parametrize("event_id", [
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "019a0000-0000-7000-8000-000000000000",
])  # fmt: skip
def test_an_event_that_is_not_there_is_not_found(browser: Client, event_id: str) -> None:
    response = browser.post(f"/tracking/events/{event_id}/actor/", {"actor": "HUMAN"})

    assert response.status_code == 404


def test_a_rep_decides_nothing(lead: Lead, now: datetime) -> None:
    event = seen(lead, now, **ROBOT)

    response = say(client_of(make_user(Role.REP)), event, "HUMAN")

    event.refresh_from_db()
    assert (response.status_code, event.actor) == (404, Actor.MACHINE)

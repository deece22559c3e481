"""Classifying the log again after more robots became known."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from engagement.enums import Actor, EventKind
from engagement.event_ids import agent_id
from engagement.models import Event
from engagement.services import decide_actor, reclassify_events, record_event
from engagement.services.judging import keep_agents
from leads.models import Lead
from scoring.models import LeadScore
from tests.engagement.inbox import CHROME
from tests.factories import make_lead, make_user

ROBOT = "NewlyKnownBot/1.0"
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def lead(now: datetime) -> Lead:
    keep_agents([CHROME, ROBOT])
    return make_lead(created_at=now - 400 * DAY)


def seen(lead: Lead, now: datetime, days_ago: int, agent: str, **details: Any) -> Event:
    return record_event(
        lead_id=lead.pk, kind=EventKind.PAGE_VIEW, occurred_at=now - days_ago * DAY, now=now,
        agent_id=agent_id(agent), **details,
    )  # fmt: skip


def classes() -> list[tuple[str, str]]:
    return list(Event.objects.order_by("occurred_at").values_list("actor", "actor_reason"))


def test_events_of_robots_that_became_known_are_machines_and_score_no_more(
    lead: Lead, now: datetime
) -> None:
    human = seen(lead, now, 90, CHROME)
    seen(lead, now, 40, ROBOT)
    seen(lead, now, 1, ROBOT)
    LeadScore.objects.filter(lead=lead).update(score_due_at=None)

    (change,) = reclassify_events(now=now)

    assert (change.events, change.leads) == (2, 1)
    assert (change.was_actor, change.reason) == ("HUMAN", "Known robot: newlyknownbot")
    assert classes() == [("HUMAN", ""), *[("MACHINE", "Known robot: newlyknownbot")] * 2]
    lead.refresh_from_db()
    assert lead.last_activity_at == human.occurred_at
    assert LeadScore.objects.get(lead=lead).score_due_at == now


def test_who_was_held_for_a_robot_wrongly_is_a_person_again(lead: Lead, now: datetime) -> None:
    seen(lead, now, 1, CHROME, actor=Actor.MACHINE, actor_reason="Known robot: chrome")

    reclassify_events(now=now)

    assert classes() == [("HUMAN", "")]


def test_a_dry_run_counts_and_changes_nothing(lead: Lead, now: datetime) -> None:
    seen(lead, now, 1, ROBOT)

    (change,) = reclassify_events(now=now, dry_run=True)

    assert (change.events, classes()) == (1, [("HUMAN", "")])


def test_running_it_again_finds_nothing(lead: Lead, now: datetime) -> None:
    seen(lead, now, 1, ROBOT)
    reclassify_events(now=now)

    assert reclassify_events(now=now) == []


@pytest.mark.parametrize("reason", ["Loaded ahead by the browser", "Sent from a hosting network"])
def test_what_more_than_the_agent_gave_away_stays(lead: Lead, now: datetime, reason: str) -> None:
    seen(lead, now, 1, CHROME, actor=Actor.MACHINE, actor_reason=reason)

    assert reclassify_events(now=now) == []


def test_what_a_person_decided_stays(lead: Lead, now: datetime) -> None:
    """Red without looking at decisions: the robot would take back what was restored."""
    event = seen(lead, now, 1, ROBOT, actor=Actor.MACHINE, actor_reason="Known robot: x")
    decide_actor(event_id=event.id, actor=Actor.HUMAN, decided_by=make_user(), now=now)
    Event.objects.filter(pk=event.pk).update(actor_reason="")

    assert reclassify_events(now=now) == []


def test_the_command_tells_what_changed_since_a_day(lead: Lead, now: datetime) -> None:
    seen(lead, now, 90, ROBOT)
    seen(lead, now, 1, ROBOT)
    out = StringIO()

    call_command("reclassify_events", since=f"{now - 9 * DAY:%Y-%m-%d}", dry_run=False, stdout=out)

    assert "1 events of 1 leads: human -> Known robot: newlyknownbot" in out.getvalue()
    assert "1 events changed; scores follow" in out.getvalue()
    assert [actor for actor, _ in classes()] == ["HUMAN", "MACHINE"]


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", ""])
def test_the_command_refuses_what_is_no_day(day: str) -> None:
    with pytest.raises(CommandError, match="is no day"):
        call_command("reclassify_events", since=day)

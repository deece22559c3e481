"""What the queue says when nothing is to be done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string

from crm.accounts.models import User
from handoff.models import Handoff
from handoff.queue import load_queue
from tests.factories import NOW, make_team
from tests.handoff.factories import ANY_LEAD, make_agreement, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

SUNDAY = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)


@pytest.fixture
def rep() -> User:
    make_calendar()
    make_agreement(ANY_LEAD)
    return make_rep(make_team(), time_zone="Europe/Berlin")


def said(rep: User, now: datetime) -> str:
    queue = load_queue(rep, now=now)
    return " ".join(render_to_string("handoff/_queue_empty.html", {"queue": queue}).split())


def test_with_nothing_in_hand_the_queue_says_where_handoffs_appear(rep: User) -> None:
    assert "Nothing is in your hands." in said(rep, NOW)


def test_what_is_due_on_another_day_is_named_with_its_time(rep: User) -> None:
    make_handoff(rep=rep, now=NOW + timedelta(hours=7))

    assert "Next item is due Wed 13 May" in said(rep, NOW + timedelta(hours=6, minutes=59))


def test_outside_hours_the_queue_says_when_clocks_go_on_and_who_waits(rep: User) -> None:
    make_handoff(rep=rep, now=SUNDAY)

    text = said(rep, SUNDAY)

    assert "Clocks are paused until Monday" in text
    assert "1 lead waits for you" in text


def test_a_lead_in_the_pool_is_offered(rep: User) -> None:
    pooled = make_handoff(rep=rep)
    Handoff.objects.filter(pk=pooled.pk).update(holder=None)

    text = said(rep, NOW)

    assert "1 lead waits in the pool." in text
    assert "Take one from the pool" in text

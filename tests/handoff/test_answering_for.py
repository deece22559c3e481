"""Who answers for a deadline when a handoff changes hands: whoever had the most of its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.common.ui.spans import SegmentKind
from handoff.enums import ClockKind
from handoff.models import Clock, Handoff
from handoff.services import (
    accept_handoff,
    define_calendar,
    enforce_deadlines,
    reassign_handoff,
    rebase_handoffs,
)
from handoff.splits import split_clocks
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    clock_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)
from tests.handoff.telling import sales_entries

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
#: ``NOW`` is 11:00 in Berlin and 05:00 in New York; to be accepted by 13:00 in Berlin.
ACCEPT_DUE = NOW + 2 * HOUR
NEW_YORK_WEEK = {
    "timezone": "America/New_York",
    "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}


@pytest.fixture
def team(db: None) -> SalesTeam:
    make_calendar()
    return make_team(name="DACH")


@pytest.fixture
def first(team: SalesTeam) -> User:
    return make_rep(team, full_name="Jonas Reiter")


@pytest.fixture
def far(team: SalesTeam, handoff: Handoff) -> User:
    """Give the team somebody in New York, who starts at 15:00 in Berlin."""
    rep = make_rep(team, full_name="Ada Marsh")
    define_calendar(name="New York", definition=NEW_YORK_WEEK, rep=rep, now=NOW)
    return rep


@pytest.fixture
def handoff(first: User) -> Handoff:
    make_agreement(ANY_LEAD, escalate_after=HOUR / 2, reassign_after=HOUR)
    return make_handoff(rep=first)


def given(handoff: Handoff, to: User, at: datetime) -> None:
    manager = make_user(Role.MANAGER)
    reassign_handoff(handoff_id=handoff.pk, to=to, actor=manager, reason="", now=at)


def breached(handoff: Handoff) -> Clock:
    enforce_deadlines(now=ACCEPT_DUE + TICK)
    clock = clock_of(handoff, ClockKind.ACCEPT)
    assert clock.breached_at == ACCEPT_DUE
    return clock


def test_a_deadline_keeps_its_hours_whoever_gets_the_handoff(handoff: Handoff, far: User) -> None:
    before = list(handoff.clocks.order_by("id").values_list("due_at", "target"))

    given(handoff, far, NOW + HOUR / 2)

    handoff.refresh_from_db()
    assert handoff.calendar.hours.timezone.key == "Europe/Berlin"
    assert list(handoff.clocks.order_by("id").values_list("due_at", "target")) == before
    page = client_of(make_user(Role.MANAGER)).get(handoff.get_absolute_url()).content.decode()
    assert "Ada Marsh works by the calendar New York; the buyer was promised the hours of" in page


def test_who_was_not_at_work_before_it_was_due_does_not_answer_for_it(
    handoff: Handoff, first: User, far: User
) -> None:
    given(handoff, far, NOW + HOUR / 2)

    assert breached(handoff).answerable == first


def test_who_got_it_a_minute_before_does_not_answer_for_it(
    team: SalesTeam, handoff: Handoff, first: User
) -> None:
    given(handoff, make_rep(team), ACCEPT_DUE - HOUR / 60)

    assert breached(handoff).answerable == first
    page = client_of(make_user(Role.MANAGER)).get(handoff.get_absolute_url()).content.decode()
    assert page.count("Jonas Reiter had the most of its time and answers for it.") == 1


def test_who_got_it_early_answers_for_it(team: SalesTeam, handoff: Handoff) -> None:
    second = make_rep(team)
    given(handoff, second, NOW + HOUR / 2)

    assert breached(handoff).answerable == second


def test_two_short_turns_are_one_long_one(team: SalesTeam, handoff: Handoff, first: User) -> None:
    second = make_rep(team)
    given(handoff, second, NOW + HOUR * 0.7)
    given(handoff, first, NOW + HOUR * 1.6)

    assert breached(handoff).answerable == first


def test_nobody_answers_for_what_nobody_had_time_for(
    team: SalesTeam, handoff: Handoff, first: User, far: User
) -> None:
    """Both live where it is night until the promise is broken."""
    define_calendar(name="His", definition=NEW_YORK_WEEK, rep=first, now=NOW)
    handoff.holders.update(calendar=first.calendars.get())
    given(handoff, far, NOW + HOUR / 2)

    assert breached(handoff).answerable is None
    told = sales_entries(handoff.lead_id, make_user(Role.MANAGER), None, 10)
    assert "Nobody had the time. Agreement v1: 2 h of working time." in [
        each.detail for each in told
    ]


def test_who_took_what_had_waited_in_the_pool_does_not_answer_for_the_wait(
    team: SalesTeam, handoff: Handoff
) -> None:
    Clock.objects.update(answerable=None)
    handoff.holders.update(holder=None)
    Handoff.objects.update(holder=None)

    accept_handoff(handoff_id=handoff.pk, rep=make_rep(team), now=NOW + 3.5 * HOUR)
    enforce_deadlines(now=NOW + 4 * HOUR + TICK)

    assert clock_of(handoff, ClockKind.ACCEPT).answerable is None
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).answerable is None


def test_who_answers_in_time_gets_the_credit_however_short_they_had_it(
    team: SalesTeam, handoff: Handoff
) -> None:
    second = make_rep(team)
    given(handoff, second, ACCEPT_DUE - HOUR / 60)

    accept_handoff(handoff_id=handoff.pk, rep=second, now=ACCEPT_DUE)

    assert clock_of(handoff, ClockKind.ACCEPT).answerable == second


def test_time_of_ones_own_is_counted_by_ones_own_hours(handoff: Handoff, far: User) -> None:
    given(handoff, far, NOW + HOUR / 2)

    opening = NOW + 4 * HOUR  # 15:00 in Berlin, 09:00 in New York
    assert clock_of(handoff, ClockKind.ACCEPT).reassign_at == opening + HOUR
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).reassign_at == opening + HOUR


def test_rebasing_asks_anew_who_has_most_of_the_time(
    handoff: Handoff, first: User, far: User
) -> None:
    given(handoff, far, NOW + HOUR / 2)
    longer = replace(ANY_LEAD, accept_within=7 * HOUR, first_touch_within=7 * HOUR)
    agreement = make_agreement(longer, reassign_after=2 * HOUR)

    rebase_handoffs(version=agreement.version, actor=make_user(Role.MANAGER), now=NOW + HOUR)

    accept = clock_of(handoff, ClockKind.ACCEPT)
    assert (accept.due_at, accept.answerable) == (NOW + 7 * HOUR, far)
    assert accept.reassign_at == NOW + 9 * HOUR


def test_the_split_clock_books_nobody_the_time_before_they_are_at_work(
    handoff: Handoff, far: User
) -> None:
    given(handoff, far, NOW + HOUR)

    found = split_clocks([handoff.pk], now=NOW + 5 * HOUR)[handoff.pk]

    booked = [(each.kind, each.name, each.span) for each in found.segments[-3:]]
    assert booked == [
        (SegmentKind.HOLDER_A, "Jonas Reiter", HOUR),
        (SegmentKind.OUTSIDE, "", 3 * HOUR),
        (SegmentKind.HOLDER_B, "Ada Marsh", HOUR),
    ]
    assert found.working == 5 * HOUR

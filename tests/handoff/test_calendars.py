"""Calendars as stored: versions, whom they measure, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm.reports import sla
from crm.reports.standing import Scope
from handoff.badges import arithmetic
from handoff.enums import ClockKind
from handoff.models import Handoff, WorkCalendar
from handoff.queue import load_queue
from handoff.services import CalendarInvalid, define_calendar
from handoff.services.calendars import calendar_of
from tests.factories import NOW, make_lead, make_team
from tests.handoff.factories import (
    ANY_LEAD,
    BERLIN_WEEK,
    become_mql,
    clock_of,
    holder_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
    overlapping,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
EVENINGS: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "weekly": {day: [["16:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}


def test_other_hours_leave_the_deadline_and_its_arithmetic_as_they_were() -> None:
    make_calendar()
    make_agreement(ANY_LEAD)
    handoff = make_handoff()

    make_calendar(definition=EVENINGS, now=LATER)

    clock = clock_of(handoff, ClockKind.ACCEPT)
    pinned = Handoff.objects.get(pk=handoff.pk).calendar
    steps = arithmetic(clock, pinned.hours)
    assert [step.span for step in steps] == [timedelta(hours=2)]
    assert steps[-1].ended_at == clock.due_at
    assert pinned.superseded_at == LATER


def test_other_hours_do_not_rewrite_how_late_somebody_was() -> None:
    make_calendar()
    make_agreement(ANY_LEAD)
    make_handoff()

    make_calendar(definition=EVENINGS, now=LATER)

    day = timedelta(days=1)
    period = Scope(ClockKind.ACCEPT, NOW - day, NOW + day)
    lines = sla.breach_log(period, now=NOW + timedelta(hours=6))
    assert [line.over_by for line in lines] == [timedelta(hours=4)]


def test_what_is_handed_over_later_is_measured_by_the_new_hours() -> None:
    old = make_calendar()
    make_agreement(ANY_LEAD)
    make_rep(make_team())

    new = make_calendar(definition=EVENINGS, now=NOW)
    handoff = become_mql(make_lead())

    assert handoff.calendar == new != old
    assert clock_of(handoff, ClockKind.ACCEPT).due_at == NOW + timedelta(hours=7)
    assert list(WorkCalendar.objects.current()) == [new]


def test_the_queue_shows_todays_rail_by_the_new_hours() -> None:
    make_calendar()
    handoff = make_handoff()

    make_calendar(definition=EVENINGS, now=NOW)

    rail = load_queue(holder_of(handoff), now=NOW).rail
    assert rail is not None
    assert len(rail.windows) == 1
    assert rail.windows[0][1] - rail.windows[0][0] == timedelta(hours=2)


def test_the_queue_shows_the_hours_of_the_rep() -> None:
    make_calendar()
    rep = holder_of(make_handoff())
    make_calendar(name="Evenings", definition=EVENINGS, rep=rep, is_default=False)

    queue = load_queue(rep, now=NOW)

    assert queue.rail is not None
    assert [end - start for start, end in queue.rail.windows] == [timedelta(hours=2)]
    assert queue.opens_at == NOW + timedelta(hours=5)


def test_the_same_hours_are_no_new_version() -> None:
    first = make_calendar()
    team = make_team()

    second = make_calendar(team, name=first.name, is_default=True)

    assert second == first
    assert WorkCalendar.objects.get().team == team


def test_another_default_takes_the_place_of_the_one_before() -> None:
    make_calendar(name="Old")

    new = make_calendar(name="New")

    assert list(WorkCalendar.objects.filter(is_default=True)) == [new]
    assert calendar_of(None) == new


def test_a_company_keeps_a_default() -> None:
    calendar = make_calendar()

    with pytest.raises(CalendarInvalid, match="make another calendar the default"):
        make_calendar(is_default=False)

    calendar.refresh_from_db()
    assert calendar.is_default


def test_a_team_has_one_calendar() -> None:
    team = make_team(name="DACH")
    make_calendar(team)

    with pytest.raises(CalendarInvalid, match="DACH has a calendar already, Berlin DACH"):
        make_calendar(team, name="Second")

    assert WorkCalendar.objects.get().superseded_at is None


def test_handing_over_goes_on_after_standard_hours_lost_their_default() -> None:
    make_rep(make_team())
    standard = make_handoff().calendar
    WorkCalendar.objects.update(is_default=False)

    handoff = become_mql(make_lead())

    assert handoff.calendar == standard
    assert calendar_of(None) == standard


@pytest.mark.django_db(transaction=True)
def test_two_who_define_one_calendar_at_once_leave_one() -> None:
    written = overlapping(
        lambda: define_calendar(name="Desk", definition=BERLIN_WEEK, now=NOW),
        lambda: define_calendar(name="Desk", definition=EVENINGS, now=LATER),
    )

    assert list(WorkCalendar.objects.order_by("id")) == list(written)
    assert WorkCalendar.objects.current().get() == written[1]

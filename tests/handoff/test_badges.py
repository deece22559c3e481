"""Clocks as people read them: six faces, one arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.common.ui.badges import ClockState
from handoff.badges import (
    arithmetic,
    arithmetic_sentence,
    clock_badge,
    deadline_sentence,
    time_left,
)
from handoff.business_hours import parse_calendar
from handoff.enums import ClockKind
from handoff.models import Clock
from tests.handoff.factories import BERLIN_WEEK

HOURS = parse_calendar(BERLIN_WEEK)
#: A Friday, 17:10:24 in Berlin.
FRIDAY = datetime(2026, 5, 15, 15, 10, 24, tzinfo=UTC)
MONDAY = datetime(2026, 5, 18, 8, 10, 24, tzinfo=UTC)


def _clock(**fields: datetime) -> Clock:
    """Return a clock of two hours from Friday, due on Monday 10:10:24 in Berlin."""
    return Clock(
        kind=ClockKind.FIRST_TOUCH,
        target=timedelta(hours=2),
        started_at=FRIDAY,
        due_at=MONDAY,
        **fields,
    )


@pytest.mark.parametrize(
    ("now", "state", "text"),
    [
        (FRIDAY, ClockState.ON_TRACK, "2 h left"),
        (datetime(2026, 5, 16, 12, 0, tzinfo=UTC), ClockState.PAUSED, "Mon 09:00"),
        (MONDAY - timedelta(minutes=30), ClockState.AT_RISK, "30 min left"),
        (MONDAY, ClockState.AT_RISK, "0 s left"),
        (MONDAY + timedelta(minutes=19), ClockState.BREACHED, "19 min over"),
    ],
)
def test_a_running_clock_shows_how_it_stands(now: datetime, state: ClockState, text: str) -> None:
    with timezone.override("Europe/Berlin"):
        badge = clock_badge(_clock(), HOURS, now=now)

    assert (badge.state, badge.text) == (state, text)


@pytest.mark.parametrize(
    ("ended", "state", "text"),
    [
        ({"stopped_at": FRIDAY + timedelta(minutes=42)}, ClockState.MET, "met, 42 min"),
        ({"stopped_at": MONDAY + timedelta(hours=1)}, ClockState.BREACHED, "1 h over"),
        ({"withdrawn_at": FRIDAY}, ClockState.WAITING, "withdrawn"),
        ({"withdrawn_at": MONDAY + timedelta(hours=1)}, ClockState.BREACHED, "1 h over"),
    ],
)
def test_a_finished_clock_shows_how_it_ended(
    ended: dict[str, datetime], state: ClockState, text: str
) -> None:
    badge = clock_badge(_clock(**ended), HOURS, now=MONDAY + timedelta(days=9))

    assert (badge.state, badge.text) == (state, text)


def test_a_clock_that_was_excused_says_so() -> None:
    late = MONDAY + timedelta(hours=1)
    badge = clock_badge(_clock(stopped_at=late, excused_at=late), HOURS, now=late)

    assert badge.text == "1 h over, excused"


def test_a_clock_that_is_overdue_stands_still_outside_of_hours() -> None:
    monday_night = datetime(2026, 5, 18, 20, 0, tzinfo=UTC)

    badge = clock_badge(_clock(), HOURS, now=monday_night)

    assert badge.running is not None
    assert badge.running.closes_at == monday_night
    assert time_left(_clock(), HOURS, now=monday_night) == -timedelta(
        hours=7, minutes=49, seconds=36
    )


def test_a_clock_that_fell_due_at_closing_time_is_over_all_evening() -> None:
    closing = datetime(2026, 5, 18, 16, 0, tzinfo=UTC)
    clock = _clock()
    clock.due_at = closing

    faces = {clock_badge(clock, HOURS, now=closing + timedelta(minutes=n)).text for n in (1, 300)}
    morning = clock_badge(clock, HOURS, now=closing + timedelta(hours=15, minutes=1))

    assert faces == {"0 s over"}
    assert (morning.state, morning.text) == (
        ClockState.BREACHED,
        "1 min over",
    )


def test_a_calendar_that_has_ended_still_shows_its_clocks() -> None:
    ended = parse_calendar(
        {"timezone": "Europe/Berlin", "exceptions": {"2026-05-15": [["09:00", "18:00"]]}}
    )

    badge = clock_badge(_clock(), ended, now=MONDAY - timedelta(days=1))

    assert (badge.state, badge.text) == (ClockState.PAUSED, "no opening to come")


def test_the_steps_of_a_deadline_add_up_to_the_minute_though_it_began_at_24_seconds() -> None:
    with timezone.override("Europe/Berlin"):
        steps = arithmetic(_clock(), HOURS)

    told = [(f"{step.started_at:%a %H:%M}", f"{step.ended_at:%H:%M}", step.span) for step in steps]
    assert told == [
        ("Fri 17:10", "18:00", timedelta(minutes=50)),
        ("Mon 09:00", "10:10", timedelta(minutes=70)),
    ]


def test_a_deadline_says_from_when_it_counts() -> None:
    with timezone.override("Europe/Berlin"):
        sentence = deadline_sentence(_clock())

    assert sentence == ("Touch by Mon 18 May 10:10 CEST, 2 h of working time from Fri 15 May 17:10")


def test_the_arithmetic_in_words_is_that_of_the_table() -> None:
    with timezone.override("Europe/Berlin"):
        steps = arithmetic(_clock(), HOURS)
        said = arithmetic_sentence(_clock(), steps)

    assert said == (
        "2 h of working time from Fri 17:10: 50 min on Friday, 1 h 10 from Monday 09:00"
    )


def test_many_stretches_are_summed_up_in_between() -> None:
    clock = _clock()
    clock.target = timedelta(hours=20)
    with timezone.override("Europe/Berlin"):
        said = arithmetic_sentence(clock, arithmetic(clock, HOURS))

    assert said == (
        "20 h of working time from Fri 17:10: 50 min on Friday, 18 h on the way,"
        " 1 h 10 from Wednesday 09:00"
    )


def test_a_clock_that_starts_outside_of_hours_begins_at_the_next_opening() -> None:
    clock = _clock()
    clock.started_at = datetime(2026, 5, 16, 13, 0, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        said = arithmetic_sentence(clock, arithmetic(clock, HOURS))

    assert said == "2 h of working time from Sat 15:00: 2 h from Monday 09:00"

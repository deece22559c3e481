"""Every instant from hand-raise to first touch belongs to exactly one segment."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.common.ui.spans import ClockSegment, SegmentKind
from handoff.business_hours import Span, is_open, parse_calendar, working_time_between
from handoff.split_clock import Course, Holding, had_most, split, totals
from tests.handoff.factories import BERLIN_WEEK

CALENDAR = parse_calendar(BERLIN_WEEK)
#: Of somebody who begins when Berlin has had half of its day, and works on weekends too.
NIGHTS = parse_calendar(
    {
        "timezone": "Europe/Berlin",
        "weekly": {day: [["14:00", "24:00"]] for day in ("mon", "wed", "fri", "sat", "sun")},
    }
)
#: A Friday, 16:30 in Berlin; the desk closes at 18:00.
FRIDAY = datetime(2026, 5, 15, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_minutes = st.integers(min_value=0, max_value=6 * 24 * 60)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Draw a week's course with up to four holdings and three excuses, in whole minutes."""
    raised, opened, ended = sorted(draw(st.tuples(_minutes, _minutes, _minutes)))
    later = st.integers(min_value=opened, max_value=ended)
    changes = [opened, *sorted(draw(st.lists(later, max_size=3)))]
    people = st.sampled_from(
        [(None, ""), (1, "Tomas Orlind"), (2, "Pavel Rusk"), (3, "Pavel Rusk")]
    )
    hours = st.sampled_from([CALENDAR, NIGHTS])
    spans = st.tuples(_minutes, _minutes).map(sorted)
    return Course(
        raised_at=FRIDAY + raised * MINUTE,
        opened_at=FRIDAY + opened * MINUTE,
        ended_at=FRIDAY + ended * MINUTE,
        holdings=[Holding(FRIDAY + at * MINUTE, *draw(people), draw(hours)) for at in changes],
        excused=[
            Span(FRIDAY + start * MINUTE, FRIDAY + end * MINUTE)
            for start, end in draw(st.lists(spans, max_size=3))
        ],
        calendar=CALENDAR,
    )


def owner(course: Course, at: datetime) -> tuple[str, str]:
    """Say whose an instant is, the slow way."""
    if at < course.opened_at:
        return SegmentKind.SYSTEM, ""
    if any(span.start <= at < span.end for span in course.excused):
        return SegmentKind.EXCUSED, ""
    if not is_open(at, CALENDAR):
        return SegmentKind.OUTSIDE, ""
    latest = [each for each in course.holdings if each.started_at <= at][-1]
    if not is_open(at, latest.hours):
        return SegmentKind.OUTSIDE, ""
    if latest.holder is None:
        return SegmentKind.UNASSIGNED, ""
    first = next(each.holder for each in course.holdings if each.holder)
    return (SegmentKind.HOLDER_A if latest.holder == first else SegmentKind.HOLDER_B), latest.name


def covering(segments: Sequence[ClockSegment], at: datetime) -> list[ClockSegment]:
    return [each for each in segments if each.started_at <= at < each.ended_at]


@RELAXED
@given(courses())
def test_segments_tile_the_time_from_hand_raise_to_first_touch(course: Course) -> None:
    segments = split(course).segments

    ends = [course.raised_at, *(each.ended_at for each in segments)]
    assert [each.started_at for each in segments] == ends[:-1]
    assert ends[-1] == course.ended_at or not segments
    assert all(each.span > timedelta(0) for each in segments)
    assert sum((each.span for each in segments), timedelta(0)) == split(course).speed_to_lead


@RELAXED
@given(courses(), st.integers(min_value=0, max_value=6 * 24 * 60 - 1))
def test_each_instant_is_whose_it_was(course: Course, minute: int) -> None:
    at = FRIDAY + minute * MINUTE

    found = [(each.kind, each.name) for each in covering(split(course).segments, at)]

    inside = course.raised_at <= at < course.ended_at
    assert found == ([owner(course, at)] if inside else [])


@RELAXED
@given(courses())
def test_no_two_neighbours_are_of_one_account(course: Course) -> None:
    accounts = [(each.kind, each.name) for each in split(course).segments]

    namesakes = {(SegmentKind.HOLDER_B, "Pavel Rusk")}
    pairs = itertools.pairwise(accounts)
    assert all(before != after for before, after in pairs if before not in namesakes)


@RELAXED
@given(courses())
def test_working_time_is_that_of_the_clocks(course: Course) -> None:
    found = split(course)

    assert found.working == working_time_between(course.opened_at, course.ended_at, CALENDAR)
    at_work = totals([found])
    outside = at_work[SegmentKind.OUTSIDE] + at_work[SegmentKind.EXCUSED]
    assert found.speed_to_lead - at_work[SegmentKind.SYSTEM] - outside <= found.working


def test_a_friday_evening_worked_out_by_hand() -> None:
    course = Course(
        raised_at=FRIDAY,
        opened_at=FRIDAY + 2 * MINUTE,
        ended_at=FRIDAY + timedelta(days=2, hours=17, minutes=30),  # Monday 10:00
        holdings=[
            Holding(FRIDAY + 2 * MINUTE, None, "", CALENDAR),
            Holding(FRIDAY + 12 * MINUTE, 1, "Tomas Orlind", CALENDAR),
            Holding(FRIDAY + timedelta(days=2, hours=17), 2, "Pavel Rusk", CALENDAR),
        ],
        excused=[Span(FRIDAY + 30 * MINUTE, FRIDAY + 60 * MINUTE)],
        calendar=CALENDAR,
    )

    found = split(course)

    assert [(each.kind, each.span) for each in found.segments] == [
        (SegmentKind.SYSTEM, 2 * MINUTE),
        (SegmentKind.UNASSIGNED, 10 * MINUTE),
        (SegmentKind.HOLDER_A, 18 * MINUTE),
        (SegmentKind.EXCUSED, 30 * MINUTE),
        (SegmentKind.HOLDER_A, 30 * MINUTE),
        (SegmentKind.OUTSIDE, timedelta(days=2, hours=15)),
        (SegmentKind.HOLDER_A, 30 * MINUTE),
        (SegmentKind.HOLDER_B, 30 * MINUTE),
    ]
    assert (found.speed_to_lead, found.working) == (
        timedelta(days=2, hours=17, minutes=30),
        2 * HOUR + 28 * MINUTE,
    )


def test_two_people_of_one_name_are_two_accounts() -> None:
    holdings = [Holding(FRIDAY + n * HOUR / 2, n, "Pavel Rusk", CALENDAR) for n in range(2)]
    course = Course(FRIDAY, FRIDAY, FRIDAY + HOUR, holdings, [], CALENDAR)

    assert [(each.kind, each.span) for each in split(course).segments] == [
        (SegmentKind.HOLDER_A, HOUR / 2),
        (SegmentKind.HOLDER_B, HOUR / 2),
    ]


def test_nobody_is_booked_time_outside_of_their_own_hours() -> None:
    morning = FRIDAY + timedelta(days=5) - 7 * HOUR  # Wednesday 9:30
    holdings = [Holding(morning, 1, "Tomas Orlind", NIGHTS)]
    course = Course(morning, morning, morning + 6 * HOUR, holdings, [], CALENDAR)

    assert [(each.kind, each.span) for each in split(course).segments] == [
        (SegmentKind.OUTSIDE, 4.5 * HOUR),
        (SegmentKind.HOLDER_A, 1.5 * HOUR),
    ]


@RELAXED
@given(courses())
def test_who_had_most_is_who_is_booked_most(course: Course) -> None:
    """Each minute is asked for whose it was, the slow way."""
    had: dict[int | None, int] = {}
    for minute in range(6 * 24 * 60):
        at = FRIDAY + minute * MINUTE
        if course.opened_at <= at < course.ended_at and not any(
            start <= at < end for start, end in course.excused
        ):
            latest = [each for each in course.holdings if each.started_at <= at][-1]
            at_work = is_open(at, CALENDAR) and is_open(at, latest.hours)
            had[latest.holder] = had.get(latest.holder, 0) + at_work

    most = max(had.values(), default=0)
    found = had_most(course)

    assert found is None or had[found] == most
    assert found is not None or not most or had.get(None) == most


def test_of_two_who_had_as_much_it_is_the_later_one() -> None:
    holdings = [Holding(FRIDAY + n * HOUR / 2, n, "", CALENDAR) for n in (0, 1)]

    assert had_most(Course(FRIDAY, FRIDAY, FRIDAY + HOUR, holdings, [], CALENDAR)) == 1


def test_nobody_had_most_of_a_night() -> None:
    evening = FRIDAY + 4 * HOUR
    holdings = [Holding(evening, 1, "Tomas Orlind", CALENDAR)]

    assert had_most(Course(evening, evening, evening + HOUR, holdings, [], CALENDAR)) is None


def test_a_touch_at_once_has_no_segments() -> None:
    holding = Holding(FRIDAY, 1, "Tomas Orlind", CALENDAR)
    course = Course(FRIDAY, FRIDAY, FRIDAY, [holding], [], CALENDAR)

    assert split(course).segments == []


@pytest.mark.parametrize("kind", SegmentKind)
def test_totals_know_every_kind(kind: SegmentKind) -> None:
    assert totals([])[kind] == timedelta(0)

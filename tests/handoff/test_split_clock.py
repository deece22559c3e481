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
from handoff.split_clock import Course, Holding, split, totals
from tests.handoff.factories import BERLIN_WEEK

CALENDAR = parse_calendar(BERLIN_WEEK)
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
    names = st.sampled_from(["", "Tomas Orlind", "Pavel Rusk", "Ilse Morvan"])
    spans = st.tuples(_minutes, _minutes).map(sorted)
    return Course(
        raised_at=FRIDAY + raised * MINUTE,
        opened_at=FRIDAY + opened * MINUTE,
        ended_at=FRIDAY + ended * MINUTE,
        holdings=[Holding(FRIDAY + at * MINUTE, draw(names)) for at in changes],
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
    name = [each.name for each in course.holdings if each.started_at <= at][-1]
    named = [each.name for each in course.holdings if each.name]
    if not name:
        return SegmentKind.UNASSIGNED, ""
    return (SegmentKind.HOLDER_A if name == named[0] else SegmentKind.HOLDER_B), name


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

    assert all(before != after for before, after in itertools.pairwise(accounts))


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
            Holding(FRIDAY + 2 * MINUTE, ""),
            Holding(FRIDAY + 12 * MINUTE, "Tomas Orlind"),
            Holding(FRIDAY + timedelta(days=2, hours=17), "Pavel Rusk"),
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


def test_a_touch_at_once_has_no_segments() -> None:
    course = Course(FRIDAY, FRIDAY, FRIDAY, [Holding(FRIDAY, "Tomas Orlind")], [], CALENDAR)

    assert split(course).segments == []


@pytest.mark.parametrize("kind", SegmentKind)
def test_totals_know_every_kind(kind: SegmentKind) -> None:
    assert totals([])[kind] == timedelta(0)

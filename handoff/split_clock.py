"""Where the time went from hand-raise to first touch: every instant once, to one account. Pure.

Two numbers come of it. The buyer's is the wall time of the whole: speed to lead. That of sales is
the working time since the handover, which the clocks measure.

What counts first, where several are true at once: the time before the handover is the system's;
an excused stretch is excused; outside of working hours nobody was at work; then whoever held the
handoff, or nobody.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from crm.common.ui.spans import ClockSegment, SegmentKind
from handoff.business_hours import BusinessCalendar, Span, open_windows, working_time_between
from handoff.business_hours.openings import joined

_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """Who held the handoff from ``started_at`` on; an empty ``name`` is the pool."""

    started_at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Course:
    """What happened from hand-raise to first touch; instants in any zone.

    Attributes:
        raised_at: The buyer's act.
        opened_at: When the lead was handed over, not before ``raised_at``.
        ended_at: The first touch; until then the end of the handoff, or now.
        holdings: In order; each lasts until the next one.
        excused: Stretches that a manager excused, in any order.
        calendar: Whose hours are working hours.
    """

    raised_at: datetime
    opened_at: datetime
    ended_at: datetime
    holdings: Sequence[Holding]
    excused: Iterable[Span]
    calendar: BusinessCalendar


@dataclass(frozen=True, slots=True)
class SplitClock:
    """The segments, in order and without gaps, and the two numbers.

    ``speed_to_lead`` is wall time since the hand-raise, ``working`` working time since the
    handover.
    """

    segments: Sequence[ClockSegment]
    speed_to_lead: timedelta
    working: timedelta


def split(course: Course) -> SplitClock:
    """Give every instant from ``raised_at`` to ``ended_at`` to one segment.

    Raises:
        SpanInvalid: a naive time, or an end before the beginning.
    """
    return SplitClock(
        segments=_segments(course),
        speed_to_lead=course.ended_at - course.raised_at,
        working=working_time_between(course.opened_at, course.ended_at, course.calendar),
    )


def totals(splits: Iterable[SplitClock]) -> Mapping[SegmentKind, timedelta]:
    """Return the wall time per kind of segment, over many handoffs."""
    found = dict.fromkeys(SegmentKind, _ZERO)
    for each in splits:
        for segment in each.segments:
            found[segment.kind] += segment.span
    return found


def _segments(course: Course) -> list[ClockSegment]:
    """Cut at every instant at which the account changes; name each piece, and join equals."""
    windows = list(open_windows(course.opened_at, course.ended_at, course.calendar))
    excused = list(joined(sorted(course.excused)))
    edges = {course.raised_at, course.opened_at, course.ended_at}
    edges |= {at for span in (*windows, *excused) for at in span}
    edges |= {holding.started_at for holding in course.holdings}
    cuts = sorted(at for at in edges if course.raised_at <= at <= course.ended_at)
    segments: list[ClockSegment] = []
    for start, end in itertools.pairwise(cuts):
        kind, name = _account(course, start, windows, excused)
        if segments and (segments[-1].kind, segments[-1].name) == (kind, name):
            start = segments.pop().started_at  # noqa: PLW2901 -- the piece grows to the left
        segments.append(ClockSegment(kind, start, end, name))
    return segments


def _account(
    course: Course, at: datetime, windows: Sequence[Span], excused: Sequence[Span]
) -> tuple[SegmentKind, str]:
    """Return whose time the instant ``at`` is."""
    if at < course.opened_at:
        return SegmentKind.SYSTEM, ""
    if _covers(excused, at):
        return SegmentKind.EXCUSED, ""
    if not _covers(windows, at):
        return SegmentKind.OUTSIDE, ""
    begun = bisect_right(course.holdings, at, key=attrgetter("started_at"))
    name = course.holdings[begun - 1].name if begun else ""
    if not name:
        return SegmentKind.UNASSIGNED, ""
    first = next(holding.name for holding in course.holdings if holding.name)
    return (SegmentKind.HOLDER_A if name == first else SegmentKind.HOLDER_B), name


def _covers(spans: Sequence[Span], at: datetime) -> bool:
    """Say whether ``at`` lies in one of ``spans``, which are in order and apart."""
    begun = bisect_right(spans, at, key=attrgetter("start"))
    return begun > 0 and at < spans[begun - 1].end

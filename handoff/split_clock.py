"""Where the time went from hand-raise to first touch: every instant once, to one account. Pure.

Two numbers come of it. The buyer's is the wall time of the whole: speed to lead. That of sales is
the working time since the handover, which the clocks measure.

What counts first, where several are true at once: the time before the handover is the system's;
an excused stretch is excused; outside of the hours of the promise, or of the holder, nobody was at
work; then whoever held the handoff, or nobody.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from crm.common.ui.spans import ClockSegment, SegmentKind
from handoff.business_hours import BusinessCalendar, Span, open_windows, working_time_between
from handoff.business_hours.openings import joined

_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """Who held the handoff from ``started_at`` on, and their hours; no ``holder`` is the pool."""

    started_at: datetime
    holder: int | None
    name: str
    hours: BusinessCalendar


@dataclass(frozen=True, slots=True)
class Course:
    """What happened from hand-raise to first touch; instants in any zone.

    Attributes:
        raised_at: The buyer's act.
        opened_at: When the lead was handed over, not before ``raised_at``.
        ended_at: The first touch; until then the end of the handoff, or now.
        holdings: In order; each lasts until the next one.
        excused: Stretches that a manager excused, in any order.
        calendar: The hours of the promise, on which its deadlines are counted.
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


def had_most(course: Course) -> int | None:
    """Return which holder had the most of the time; None if that is nobody, or none had any.

    Of several with as much it is the one who came last.
    """
    had: dict[int | None, timedelta] = {each.holder: _ZERO for each in reversed(course.holdings)}
    for piece in _pieces(course):
        if piece.kind in _AT_WORK:
            had[piece.holder] = had.get(piece.holder, _ZERO) + piece.span.end - piece.span.start
    most = max(had, key=had.__getitem__, default=None)
    return most if had.get(most) else None


class _Piece(NamedTuple):
    span: Span
    kind: SegmentKind
    holder: int | None = None
    name: str = ""


_AT_WORK = (SegmentKind.UNASSIGNED, SegmentKind.HOLDER_A, SegmentKind.HOLDER_B)


def _segments(course: Course) -> list[ClockSegment]:
    """Join neighbouring pieces of one account."""
    return [
        ClockSegment(kind, same[0].span.start, same[-1].span.end, name)
        for (kind, _, name), pieces in itertools.groupby(_pieces(course), attrgetter(*_ACCOUNT))
        for same in [list(pieces)]
    ]


_ACCOUNT = ("kind", "holder", "name")


def _pieces(course: Course) -> Iterator[_Piece]:
    """Cut at every instant at which the account can change, and say whose each piece is."""
    hours = {course.calendar, *(holding.hours for holding in course.holdings)}
    windows = {each: list(open_windows(course.opened_at, course.ended_at, each)) for each in hours}
    excused = list(joined(sorted(course.excused)))
    edges = {course.raised_at, course.opened_at, course.ended_at}
    edges |= {at for spans in (*windows.values(), excused) for span in spans for at in span}
    edges |= {holding.started_at for holding in course.holdings}
    cuts = sorted(at for at in edges if course.raised_at <= at <= course.ended_at)
    for start, end in itertools.pairwise(cuts):
        yield _Piece(Span(start, end), *_account(course, start, windows, excused))


def _account(
    course: Course,
    at: datetime,
    windows: Mapping[BusinessCalendar, Sequence[Span]],
    excused: Sequence[Span],
) -> tuple[SegmentKind, int | None, str]:
    """Return whose time the instant ``at`` is: the kind of account, its holder and their name."""
    if at < course.opened_at:
        return SegmentKind.SYSTEM, None, ""
    if _covers(excused, at):
        return SegmentKind.EXCUSED, None, ""
    begun = bisect_right(course.holdings, at, key=attrgetter("started_at"))
    holding = course.holdings[begun - 1] if begun else None
    hours = holding.hours if holding else course.calendar
    if not _covers(windows[course.calendar], at) or not _covers(windows[hours], at):
        return SegmentKind.OUTSIDE, None, ""
    if holding is None or holding.holder is None:
        return SegmentKind.UNASSIGNED, None, ""
    first = next(each.holder for each in course.holdings if each.holder is not None)
    kind = SegmentKind.HOLDER_A if holding.holder == first else SegmentKind.HOLDER_B
    return kind, holding.holder, holding.name


def _covers(spans: Sequence[Span], at: datetime) -> bool:
    """Say whether ``at`` lies in one of ``spans``, which are in order and apart."""
    begun = bisect_right(spans, at, key=attrgetter("start"))
    return begun > 0 and at < spans[begun - 1].end

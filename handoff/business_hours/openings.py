"""The hours of a business calendar laid onto real time, one cached timetable a year."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from handoff.business_hours.calendars import DAY, BusinessCalendar

ZERO = timedelta(0)

# More than any offset from UTC, a window past midnight included.
_MARGIN = timedelta(days=3)

# About 100 kB each with two windows a day; a desk is asked about two or three years.
_CACHED_YEARS = 256


class Span(NamedTuple):
    """A stretch of real time, half-open; both ends are in UTC."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> float:
        """Its length; minutes are real minutes, whatever the clocks on the wall do."""
        return (self.end - self.start) / timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Timetable:
    """The open spans of one UTC year, in order and apart.

    ``worked`` holds the working time from the start of the year to the end of each span.
    """

    spans: Sequence[Span]
    worked: Sequence[timedelta]

    @classmethod
    def of(cls, spans: Sequence[Span]) -> Self:
        """Add the running totals to ``spans``."""
        return cls(spans, tuple(accumulate(end - start for start, end in spans)))

    @property
    def total(self) -> timedelta:
        """The working time of the whole year."""
        return self.worked[-1] if self.worked else ZERO

    def worked_before(self, at: datetime) -> timedelta:
        """Return the working time from the start of the year to ``at``."""
        begun = bisect_right(self.spans, at, key=attrgetter("start"))
        if not begun:
            return ZERO
        return self.worked[begun - 1] - max(self.spans[begun - 1].end - at, ZERO)

    def reached(self, worked: timedelta) -> datetime:
        """Return the earliest instant with ``worked`` behind it: above zero, up to ``total``."""
        index = bisect_left(self.worked, worked)
        return self.spans[index].end - (self.worked[index] - worked)

    def ending_after(self, at: datetime) -> Sequence[Span]:
        """Return the span that is open at ``at``, if any, and those to come."""
        return self.spans[bisect_right(self.spans, at, key=attrgetter("end")) :]


@lru_cache(maxsize=_CACHED_YEARS)
def timetable(calendar: BusinessCalendar, year: int) -> Timetable:
    """Return when ``calendar`` is open in the UTC year ``year``."""
    start, end = (datetime(year + n, 1, 1, tzinfo=UTC) for n in (0, 1))
    free = tuple(outside(start, end, _closures(calendar, start, end)))
    windows = joined(sorted(_windows(calendar, start, end)))
    return Timetable.of(tuple(joined(_shared(windows, free))))


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Make one of spans that touch or overlap and drop the empty ones; they come by start."""
    current: Span | None = None
    for span in spans:
        if span.start >= span.end:
            continue
        if current is not None and span.start > current.end:
            yield current
            current = None
        current = Span(current.start, max(current.end, span.end)) if current else span
    if current is not None:
        yield current


def _shared(windows: Iterable[Span], free: Sequence[Span]) -> Iterator[Span]:
    """Yield what two rows of spans, each in order and apart, have in common."""
    for window in windows:
        first = bisect_right(free, window.start, key=attrgetter("end"))
        past = bisect_left(free, window.end, key=attrgetter("start"))
        for span in free[first:past]:
            yield Span(max(window.start, span.start), min(window.end, span.end))


def outside(start: datetime, end: datetime, cuts: Iterable[Span]) -> Iterator[Span]:
    """Return what ``cuts``, in any order, leave of the time from ``start`` to ``end``."""
    for cut in sorted(cuts):
        if start < min(cut.start, end):
            yield Span(start, min(cut.start, end))
        start = max(start, cut.end)
    if start < end:
        yield Span(start, end)


def _windows(calendar: BusinessCalendar, start: datetime, end: datetime) -> Iterator[Span]:
    """Yield all windows that may lie between two instants, and some around them."""
    special = dict.fromkeys(calendar.holidays, ()) | dict(calendar.exceptions)
    day, last_day = (start - _MARGIN).date(), (end + _MARGIN).date()
    while day < last_day:
        midnight, day_after = datetime.combine(day, time()), day + DAY
        latest = DAY if day_after in calendar.holidays else 2 * DAY
        for opens, closes in special.get(day, calendar.weekly[day.weekday()]):
            yield Span(
                _instant(midnight + opens, calendar.timezone),
                _instant(midnight + min(closes, latest), calendar.timezone),
            )
        day = day_after


def _closures(calendar: BusinessCalendar, start: datetime, end: datetime) -> Iterator[Span]:
    """Yield all closures between two instants, cut down to them and some time around them."""
    earliest = start.replace(tzinfo=None) - _MARGIN
    latest = end.replace(tzinfo=None) + _MARGIN
    for closure in calendar.closures:
        if closure.start < latest and earliest < closure.end:
            yield Span(
                _instant(max(closure.start, earliest), calendar.timezone),
                _instant(min(closure.end, latest), calendar.timezone),
            )


def _instant(local: datetime, timezone: ZoneInfo) -> datetime:
    """Return the earliest instant at which clocks on the wall show ``local`` or have passed it.

    So a time that occurs twice is its first occurrence, and one that a clock change skips is the
    instant of the change.
    """
    first = local.replace(tzinfo=timezone).astimezone(UTC)
    second = local.replace(tzinfo=timezone, fold=1).astimezone(UTC)
    if first <= second:
        return first
    # Skipped: fold 0 reckons with the old offset and lands after the change, fold 1 before it.
    change = bisect_left(
        range(int((first - second).total_seconds())),
        True,
        key=lambda n: _wall_clock(second + timedelta(seconds=n), timezone) >= local,
    )
    return second + timedelta(seconds=change)


def _wall_clock(at: datetime, timezone: ZoneInfo) -> datetime:
    return at.astimezone(timezone).replace(tzinfo=None)

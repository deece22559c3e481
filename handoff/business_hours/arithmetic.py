"""Deadlines and elapsed time in working time; see the package for the conventions."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from handoff.business_hours.calendars import BusinessCalendar
from handoff.business_hours.openings import ZERO, Span, joined, outside, timetable

Pauses = Iterable[tuple[datetime, datetime]]

# Our choice, so that no question walks through thousands of years; leads do not live that long.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class SpanInvalid(ValueError):
    """An instant, a duration or a pause that working time cannot be counted with."""


class NoOpening(ValueError):
    """The calendar is not open, or not for long enough, at any time that can be reached."""


def add_working_time(
    start: datetime, duration: timedelta, calendar: BusinessCalendar, pauses: Pauses = ()
) -> datetime:
    """Return the earliest instant, in UTC, at which ``duration`` of working time has elapsed.

    The end of a window counts: what fills the day is due at closing time, not at the next opening.
    A ``duration`` of zero is due at ``start`` if the clock runs then, else when it starts to run.

    Raises:
        NoOpening: It does not elapse before 2200.
        SpanInvalid: A naive time, one outside of 1970 to 2199, a duration below zero or above 230
            years, or a pause that ends before it starts.
    """
    begin, cuts = _instant(start, "start"), _cuts(pauses)
    if not ZERO <= duration <= LATEST - EARLIEST:
        raise SpanInvalid("a duration cannot be negative, nor above 230 years")
    if not duration:
        return _next_running(begin, calendar, cuts)
    remaining = duration
    for running in outside(begin, LATEST, cuts):
        due = _reach(running.start, remaining, calendar)
        if due <= running.end:
            return due
        remaining -= _worked(running, calendar)
    raise NoOpening(f"the clock does not run from {start.isoformat()} to {LATEST.year}")


def working_time_between(
    start: datetime, end: datetime, calendar: BusinessCalendar, pauses: Pauses = ()
) -> timedelta:
    """Return the working time from ``start`` to ``end``, without that inside ``pauses``.

    Raises:
        SpanInvalid: As for ``add_working_time``, or ``end`` lies before ``start``.
    """
    span = _span(start, end)
    return sum(
        (_worked(running, calendar) for running in outside(*span, _cuts(pauses))), start=ZERO
    )


def is_open(at: datetime, calendar: BusinessCalendar) -> bool:
    """Tell whether ``calendar`` is open at ``at``: at opening time yes, at closing time no.

    Raises:
        SpanInvalid: ``at`` is naive or outside of 1970 to 2199.
    """
    instant = _instant(at, "at")
    coming = timetable(calendar, instant.year).ending_after(instant)
    return bool(coming) and coming[0].start <= instant


def next_opening(at: datetime, calendar: BusinessCalendar) -> datetime:
    """Return the first instant, in UTC and not before ``at``, at which ``calendar`` is open.

    Raises:
        NoOpening: There is none before 2200.
        SpanInvalid: ``at`` is naive or outside of 1970 to 2199.
    """
    return _next_running(_instant(at, "at"), calendar, ())


def open_windows(
    start: datetime, end: datetime, calendar: BusinessCalendar, pauses: Pauses = ()
) -> Iterator[Span]:
    """Return the open spans from ``start`` to ``end`` without ``pauses``, joined where they touch.

    Raises:
        SpanInvalid: As for ``working_time_between``.
    """
    return joined(_open_spans(_span(start, end), calendar, _cuts(pauses)))


def explain_due(
    start: datetime, duration: timedelta, calendar: BusinessCalendar, pauses: Pauses = ()
) -> tuple[Span, ...]:
    """Return the spans whose minutes add up to ``duration``; the last one ends when it is due.

    Raises:
        NoOpening, SpanInvalid: As for ``add_working_time``.
    """
    cuts = _cuts(pauses)
    return tuple(
        open_windows(start, add_working_time(start, duration, calendar, cuts), calendar, cuts)
    )


def _instant(at: datetime, name: str) -> datetime:
    if at.utcoffset() is None:
        raise SpanInvalid(f"{name} {at.isoformat()} needs an offset from UTC")
    if not EARLIEST <= at <= LATEST:
        raise SpanInvalid(f"{name} {at.isoformat()} lies outside of 1970 to 2199")
    return at.astimezone(UTC)


def _span(start: datetime, end: datetime, owner: str = "") -> Span:
    span = Span(_instant(start, f"{owner}start"), _instant(end, f"{owner}end"))
    if span.end < span.start:
        raise SpanInvalid(f"{owner}end {end.isoformat()} lies before start {start.isoformat()}")
    return span


def _cuts(pauses: Pauses) -> tuple[Span, ...]:
    return tuple(_span(*pause, f"pauses[{n}] ") for n, pause in enumerate(pauses))


def _worked(span: Span, calendar: BusinessCalendar) -> timedelta:
    whole_years = range(span.start.year, span.end.year)
    return (
        sum((timetable(calendar, year).total for year in whole_years), start=ZERO)
        + timetable(calendar, span.end.year).worked_before(span.end)
        - timetable(calendar, span.start.year).worked_before(span.start)
    )


def _reach(start: datetime, duration: timedelta, calendar: BusinessCalendar) -> datetime:
    """Do what ``add_working_time`` does, for a ``duration`` above zero and without pauses."""
    wanted = timetable(calendar, start.year).worked_before(start) + duration
    for year in range(start.year, LATEST.year):
        hours = timetable(calendar, year)
        if wanted <= hours.total:
            return hours.reached(wanted)
        wanted -= hours.total
    raise NoOpening(
        f"less than {duration} of opening hours from {start.isoformat()} to {LATEST.year}"
    )


def _next_running(start: datetime, calendar: BusinessCalendar, cuts: Sequence[Span]) -> datetime:
    for span in _open_spans(Span(start, LATEST), calendar, cuts):
        return span.start
    raise NoOpening(f"no opening hours from {start.isoformat()} to {LATEST.year}")


def _open_spans(span: Span, calendar: BusinessCalendar, cuts: Sequence[Span]) -> Iterator[Span]:
    """Yield the open spans in order, lazily, split where a year ends."""
    for running in outside(*span, cuts):
        for year in range(running.start.year, running.end.year + 1):
            for window in timetable(calendar, year).ending_after(running.start):
                if window.start >= running.end:
                    break
                yield Span(max(window.start, running.start), min(window.end, running.end))

"""A year of one calendar as people look at it: each day with what it is. Pure."""

from __future__ import annotations

import calendar as months
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from handoff.business_hours import BusinessCalendar, Window, working_time_between
from handoff.business_hours.calendars import DAY, clock_text

FIRST_YEAR, LAST_YEAR = 1971, 2198
_ZERO = timedelta(0)


class DayState(StrEnum):
    """What a day is, compared with the week's hours of its weekday."""

    OPEN = "open"
    SHORT = "short"
    LONG = "long"
    HOLIDAY = "holiday"
    CLOSED = "closed"
    OFF = "off"


LABELS = {
    DayState.OPEN: "Open as every week",
    DayState.SHORT: "Shorter hours",
    DayState.LONG: "Other hours",
    DayState.HOLIDAY: "Holiday",
    DayState.CLOSED: "Closed on this day",
    DayState.OFF: "Not a working day",
}


@dataclass(frozen=True, slots=True)
class YearDay:
    """One day; ``name`` is that of a holiday, ``hours`` reads ``09:00-12:30, 13:15-18:00``."""

    day: date
    state: DayState
    hours: str
    name: str = ""

    @property
    def differs(self) -> bool:
        """Say whether the day is not as its week says."""
        return self.state not in (DayState.OPEN, DayState.OFF)

    @property
    def label(self) -> str:
        """Return what the day is, in words."""
        return self.name or LABELS[self.state]


@dataclass(frozen=True, slots=True)
class YearMonth:
    """One month: weeks from Monday to Sunday, None for days of other months."""

    first: date
    weeks: Sequence[Sequence[YearDay | None]]


def year_of(calendar: BusinessCalendar, names: Mapping[str, str], year: int) -> list[YearMonth]:
    """Return the twelve months of ``year``; ``names`` are those of holidays, by ISO date."""
    special = dict(calendar.exceptions)
    return [
        YearMonth(
            first=date(year, month, 1),
            weeks=[
                [_day(calendar, special, names, day) if day.month == month else None
                 for day in week]
                for week in months.Calendar().monthdatescalendar(year, month)
            ],
        )
        for month in range(1, 13)
    ]  # fmt: skip


def differing(year: Sequence[YearMonth]) -> Iterator[YearDay]:
    """Yield the days that are not as their week says, in order."""
    for month in year:
        for week in month.weeks:
            yield from (day for day in week if day is not None and day.differs)


def hours_text(windows: Sequence[Window]) -> str:
    """Return windows as people write them; empty for none."""
    return ", ".join(f"{clock_text(each.opens)}-{clock_text(each.closes)}" for each in windows)


def _day(
    calendar: BusinessCalendar,
    special: Mapping[date, tuple[Window, ...]],
    names: Mapping[str, str],
    day: date,
) -> YearDay:
    usual = calendar.weekly[day.weekday()]
    windows = special.get(day, () if day in calendar.holidays else usual)
    name = names.get(day.isoformat(), "") if day in calendar.holidays else ""
    if day in calendar.holidays and day not in special:
        return YearDay(day, DayState.HOLIDAY, "", name)
    if _is_cut(calendar, day):
        left = _worked(calendar, day)
        state = DayState.CLOSED if not left else DayState.SHORT
        return YearDay(day, state, hours_text(windows) if left else "", name)
    return YearDay(day, _state(windows, usual), hours_text(windows), name)


def _state(windows: Sequence[Window], usual: Sequence[Window]) -> DayState:
    if tuple(windows) == tuple(usual):
        return DayState.OPEN if windows else DayState.OFF
    if not windows:
        return DayState.CLOSED
    return DayState.SHORT if _length(windows) < _length(usual) else DayState.LONG


def _length(windows: Sequence[Window]) -> timedelta:
    return sum((each.closes - each.opens for each in windows), start=_ZERO)


def _is_cut(calendar: BusinessCalendar, day: date) -> bool:
    """Say whether a closure takes some of the windows of the day."""
    midnight = datetime.combine(day, time())
    windows = dict(calendar.exceptions).get(day, calendar.weekly[day.weekday()])
    return any(
        closure.start < midnight + each.closes and midnight + each.opens < closure.end
        for closure in calendar.closures
        for each in windows
    )


def _worked(calendar: BusinessCalendar, day: date) -> timedelta:
    midnight = datetime.combine(day, time(), calendar.timezone)
    after = datetime.combine(day + DAY, time(), calendar.timezone)
    return working_time_between(midnight, after, calendar)

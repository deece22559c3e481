"""A slow second opinion on working time: walks real minutes and reads the clock on the wall.

It shares nothing with ``handoff.business_hours``: it takes the calendar as JSON and compares texts
(``09:00`` <= ``12:34`` < ``24:00``). Good for boundaries and offsets of whole minutes.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import TypedDict
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)

# How long before the first minute clocks may have been put back: no zone does it by more.
LONGEST_REPEAT = timedelta(hours=3)


class CalendarJson(TypedDict):
    """A calendar as people write it, with every part named."""

    timezone: str
    weekly: dict[str, list[list[str]]]
    holidays: list[str]
    exceptions: dict[str, list[list[str]]]
    closures: list[list[str]]


def open_minutes(calendar: CalendarJson, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the start of each whole minute from ``start`` in which the calendar is open.

    While clocks show a time for the second time, it stays as late as it already was.
    """
    zone = ZoneInfo(calendar["timezone"])
    windows = cache(partial(_windows, calendar))
    minute = start - LONGEST_REPEAT
    latest_shown = minute.astimezone(zone).replace(tzinfo=None)
    while minute < end:
        latest_shown = max(latest_shown, minute.astimezone(zone).replace(tzinfo=None))
        if minute >= start and _is_open(calendar, windows, latest_shown):
            yield minute
        minute += MINUTE


def _is_open(
    calendar: CalendarJson, windows: Callable[[date], list[list[str]]], shown: datetime
) -> bool:
    now = shown.isoformat(timespec="minutes")
    today, clock = now.split("T")
    if any(start <= now < end for start, end in calendar["closures"]):
        return False
    own = windows(shown.date())
    if any(start <= clock < end or end <= start <= clock for start, end in own):
        return True
    if today in calendar["holidays"]:
        return False
    eve = windows(shown.date() - timedelta(days=1))
    return any(clock < end <= start for start, end in eve)


def _windows(calendar: CalendarJson, day: date) -> list[list[str]]:
    usual = calendar["weekly"].get(day.strftime("%a").lower(), [])
    name = day.isoformat()
    return calendar["exceptions"].get(name, [] if name in calendar["holidays"] else usual)

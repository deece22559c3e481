"""Calendars and instants for tests of working time, short enough to read in a table."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from handoff.business_hours import BusinessCalendar, parse_calendar, working_time_between

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HOUR = timedelta(hours=1)


def office(timezone: str = "Europe/Berlin", **parts: Any) -> BusinessCalendar:
    """Monday to Friday, 09:00-18:00."""
    weekly = {day: [["09:00", "18:00"]] for day in WEEKDAYS[:5]}
    return parse_calendar({"timezone": timezone, "weekly": weekly} | parts)


def every_day(*windows: str, timezone: str = "Europe/Berlin", **parts: Any) -> BusinessCalendar:
    """Windows such as ``09:00-18:00`` on all seven days."""
    hours = [window.split("-") for window in windows]
    return parse_calendar({"timezone": timezone, "weekly": dict.fromkeys(WEEKDAYS, hours)} | parts)


def at(local: str, timezone: str = "Europe/Berlin", *, fold: int = 0) -> datetime:
    """An instant by the clock on the wall."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(timezone), fold=fold)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day_hours(day: str, calendar: BusinessCalendar) -> float:
    """Working hours of one local day."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=calendar.timezone)
    return working_time_between(midnight, midnight + timedelta(days=1), calendar) / HOUR

"""The working day of the company's default calendar."""

from __future__ import annotations

from datetime import date, datetime

from handoff.business_hours import is_open
from handoff.models import WorkCalendar


def has_desk() -> bool:
    """Return whether the company has a default calendar."""
    return _default() is not None


def desk_day(now: datetime) -> date | None:
    """Return the local day while the default calendar is open, None while it is closed."""
    calendar = _default()
    if calendar is None or not is_open(now, calendar.hours):
        return None
    return now.astimezone(calendar.hours.timezone).date()


def _default() -> WorkCalendar | None:
    return WorkCalendar.objects.current().filter(is_default=True).first()

"""Business calendars as stored, and which one measures whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from crm.accounts.models import SalesTeam
from handoff.business_hours import (
    BusinessCalendar,
    CalendarInvalid,
    NoOpening,
    next_opening,
    parse_calendar,
    to_json,
)
from handoff.models import WorkCalendar

STANDARD_NAME = "Standard hours"
_STANDARD_WEEK = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@transaction.atomic
def define_calendar(
    *,
    name: str,
    definition: dict[str, Any],
    now: datetime,
    team: SalesTeam | None = None,
    is_default: bool = False,
) -> WorkCalendar:
    """Create the calendar called ``name`` or change it; running clocks keep their due times.

    Raises:
        CalendarInvalid: it cannot be read, or it does not open any more after ``now``.
    """
    calendar = read_calendar(definition, now=now)
    if is_default:
        WorkCalendar.objects.filter(is_default=True).exclude(name=name).update(is_default=False)
    return WorkCalendar.objects.update_or_create(
        name=name,
        defaults={"definition": to_json(calendar), "team": team, "is_default": is_default},
    )[0]


def read_calendar(definition: object, *, now: datetime) -> BusinessCalendar:
    """Return the calendar that ``definition`` says, provided that work can fall due on it.

    Raises:
        CalendarInvalid: it cannot be read, or it does not open any more after ``now``.
    """
    calendar = parse_calendar(definition)
    try:
        next_opening(now, calendar)
    except NoOpening as problem:
        raise CalendarInvalid("calendar", "does not open any more from now on") from problem
    return calendar


def calendar_of(team: SalesTeam | None) -> WorkCalendar:
    """Return the calendar that measures ``team``: its own, else the company's default.

    A company that never set one up is measured on weekdays from nine to five, in the zone of the
    installation, rather than not at all.
    """
    return WorkCalendar.objects.measuring(team) or _standard_hours()


def _standard_hours() -> WorkCalendar:
    definition = {"timezone": settings.TIME_ZONE, "weekly": _STANDARD_WEEK}
    return WorkCalendar.objects.get_or_create(
        is_default=True, defaults={"name": STANDARD_NAME, "definition": definition}
    )[0]

"""Business calendars as stored, and which one measures whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from crm.accounts.models import SalesTeam
from crm.common.locks import lock_writes
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
    """Say what the hours called ``name`` are from ``now`` on, and whom they measure.

    Other hours than before are a new version: what was handed over keeps the one that it is pinned
    to, with its deadlines.

    Raises:
        CalendarInvalid: it cannot be read, does not open any more after ``now``, or
            ``check_measured`` refuses it.
    """
    hours = to_json(read_calendar(definition, now=now))
    lock_writes(WorkCalendar)
    check_measured(name=name, team=team, is_default=is_default)
    current = WorkCalendar.objects.current()
    if is_default:
        current.filter(is_default=True).exclude(name=name).update(is_default=False)
    current.filter(name=name).exclude(definition=hours).update(superseded_at=now)
    return current.update_or_create(
        name=name,
        defaults={"team": team, "is_default": is_default},
        create_defaults={"definition": hours, "team": team, "is_default": is_default},
    )[0]


def check_measured(*, name: str, team: SalesTeam | None, is_default: bool) -> None:
    """See that each team keeps one calendar, and the company its default, if ``name`` is so.

    Raises:
        CalendarInvalid: ``team`` has another one, or ``name`` would be the default no more.
    """
    current = WorkCalendar.objects.current()
    other = current.filter(team=team).exclude(name=name).first() if team else None
    if other is not None:
        raise CalendarInvalid("team", f"{team} has a calendar already, {other}")
    if not is_default and current.filter(name=name, is_default=True).exists():
        raise CalendarInvalid("is_default", "make another calendar the default instead")


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
    default = {"is_default": True}
    return WorkCalendar.objects.current().update_or_create(
        name=STANDARD_NAME, defaults=default, create_defaults={"definition": definition, **default}
    )[0]

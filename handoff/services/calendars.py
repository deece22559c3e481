"""Business calendars as stored, and which one measures whom."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from crm.accounts.models import SalesTeam, User
from crm.common.locks import lock_writes
from handoff.business_hours import (
    BusinessCalendar,
    CalendarInvalid,
    NoOpening,
    check_windows_apart,
    next_opening,
    parse_calendar,
    to_json,
)
from handoff.models import Agreement, WorkCalendar
from handoff.public_holidays import YEARS_LEFT, public_holidays
from handoff.services.longest import longest_promise

logger = logging.getLogger(__name__)

STANDARD_NAME = "Standard hours"
_STANDARD_WEEK = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@transaction.atomic
def define_calendar(
    *,
    name: str,
    definition: dict[str, Any],
    now: datetime,
    team: SalesTeam | None = None,
    rep: User | None = None,
    is_default: bool = False,
    country: str = "",
    subdivision: str = "",
) -> WorkCalendar:
    """Say what the hours called ``name`` are from ``now`` on, and whom they measure.

    Other hours than before are a new version: what was handed over keeps the one that it is pinned
    to, with its deadlines.

    Raises:
        CalendarInvalid: it cannot be read, opens too little after ``now``, the place of the
            public holidays is not known, or ``_check_measured`` refuses it.
    """
    days = dict(public_holidays(country, subdivision, now.year))
    hours = to_json(read_calendar(definition, now=now, public_days=days))
    written = {
        "definition": hours, "country": country, "subdivision": subdivision, "public_days": days,
    }  # fmt: skip
    measured: dict[str, Any] = {"team": team, "rep": rep, "is_default": is_default}
    lock_writes(WorkCalendar)
    _check_measured(name=name, **measured)
    current = WorkCalendar.objects.current()
    if is_default:
        current.filter(is_default=True).exclude(name=name).update(is_default=False)
    current.filter(name=name).exclude(**written).update(superseded_at=now)
    return current.update_or_create(
        name=name,
        defaults=measured,
        create_defaults={**written, **measured, "written_at": now},
    )[0]


@transaction.atomic
def retire_calendar(*, calendar_id: int, now: datetime) -> WorkCalendar:
    """Measure nobody by this calendar from ``now`` on; what was handed over stays pinned to it.

    Raises:
        CalendarInvalid: it is the company's default, or was retired already.
    """
    lock_writes(WorkCalendar)
    calendar = WorkCalendar.objects.get(pk=calendar_id)
    if calendar.superseded_at is not None:
        raise CalendarInvalid("calendar", "this version is history already")
    if calendar.is_default:
        raise CalendarInvalid("is_default", "make another calendar the default first")
    calendar.superseded_at = now
    calendar.save(update_fields=["superseded_at"])
    return calendar


def renew_public_holidays(*, now: datetime) -> int:
    """Write the calendars anew whose public holidays soon end; return how many."""
    last_year = str(now.year + YEARS_LEFT)
    renewed = 0
    for each in WorkCalendar.objects.current().exclude(country=""):
        if max(each.public_days, default="") < last_year:
            renewed += _renew(each, now)
    return renewed


def _renew(calendar: WorkCalendar, now: datetime) -> bool:
    """Write one calendar anew, if it can be written today; the others go on in any case."""
    try:
        define_calendar(
            name=calendar.name, definition=calendar.definition, now=now, team=calendar.team,
            rep=calendar.rep, is_default=calendar.is_default, country=calendar.country,
            subdivision=calendar.subdivision,
        )  # fmt: skip
    except CalendarInvalid:
        logger.exception("Could not renew the public holidays of calendar %s", calendar.pk)
        return False
    return True


def _check_measured(
    *, name: str, team: SalesTeam | None, is_default: bool, rep: User | None = None
) -> None:
    """See that each team and rep keep one calendar, and the company its default, if ``name`` is so.

    Raises:
        CalendarInvalid: ``team`` or ``rep`` has another one, it would measure both, or ``name``
            would be the default no more.
    """
    if team is not None and rep is not None:
        raise CalendarInvalid("rep", "choose a team or a person: a calendar measures one of them")
    if rep is not None and is_default:
        raise CalendarInvalid("is_default", "a person's calendar cannot be everybody's")
    current = WorkCalendar.objects.current()
    for field, whom in (("team", team), ("rep", rep)):
        other = current.filter(**{field: whom}).exclude(name=name).first() if whom else None
        if other is not None:
            raise CalendarInvalid(field, f"{whom} has a calendar already, {other}")
    if not is_default and current.filter(name=name, is_default=True).exists():
        raise CalendarInvalid("is_default", "make another calendar the default instead")


def read_calendar(
    definition: object, *, now: datetime, public_days: Iterable[str] = ()
) -> BusinessCalendar:
    """Return the calendar that ``definition`` says, provided that work can fall due on it.

    Raises:
        CalendarInvalid: it cannot be read, windows overlap, or it does not open for as long after
            ``now``, without ``public_days``, as the longest clock of the agreement in force needs.
    """
    calendar = parse_calendar(definition)
    check_windows_apart(calendar)
    closed = frozenset(map(date.fromisoformat, public_days))
    hours = replace(calendar, holidays=calendar.holidays | closed)
    try:
        next_opening(now, hours)
    except NoOpening as problem:
        raise CalendarInvalid("calendar", "does not open any more from now on") from problem
    promise = longest_promise(Agreement.objects.in_force(now).first())
    if not promise.fits(hours, now=now):
        raise CalendarInvalid("calendar", f"opens too little for {promise}")
    return calendar


def calendar_of(team: SalesTeam | None, rep: User | None = None) -> WorkCalendar:
    """Return the calendar that measures ``rep`` of ``team``: theirs, the team's, the default.

    A company that never set one up is measured on weekdays from nine to five, in the zone of the
    installation, rather than not at all.
    """
    return WorkCalendar.objects.measuring(team, rep) or _standard_hours()


def _standard_hours() -> WorkCalendar:
    definition = {"timezone": settings.TIME_ZONE, "weekly": _STANDARD_WEEK}
    default = {"is_default": True}
    return WorkCalendar.objects.current().update_or_create(
        name=STANDARD_NAME, defaults=default, create_defaults={"definition": definition, **default}
    )[0]

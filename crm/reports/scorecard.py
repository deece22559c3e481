"""What both sides promised, and how far they have kept it in a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from crm.common.period import Period
from crm.reports.outcomes import Outcome
from crm.reports.promises import (
    Course,
    Promise,
    attempts_made,
    course_of,
    kept_in_time,
    share_kept,
)
from handoff.business_hours import BusinessCalendar, working_time_between
from handoff.enums import ClockKind
from handoff.models import Agreement, WorkCalendar


@dataclass(frozen=True)
class Pacing:
    """The volume of a month: promised, handed over, and due by now; the lines of its chart."""

    promised: int
    handed: int
    pace: int
    chart: dict[str, Any]
    url: str


@dataclass(frozen=True)
class Scorecard:
    """Both sides of one month, at equal size."""

    month: Period
    pacing: Pacing | None
    marketing: Sequence[Promise]
    sales: Sequence[Promise]


def scorecard(agreement: Agreement | None, day: date, *, now: datetime) -> Scorecard | None:
    """Return how both sides keep ``agreement`` in the month of ``day``; None without one."""
    if agreement is None:
        return None
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    period = Period(day.replace(day=1), following - timedelta(days=1))
    month = course_of(period, reverse("reports:sla_handoffs"), now=now)
    return Scorecard(
        month=period,
        pacing=_pacing(agreement, month, now),
        marketing=[
            share_kept("Accepted by sales", month, Outcome.ACCEPTED, Outcome.ANSWERED,
                       agreement.acceptance_goal),
            share_kept("Became SQL", month, Outcome.QUALIFIED, Outcome.DECIDED,
                       agreement.sql_goal),
        ],
        sales=_sales(agreement, month),
    )  # fmt: skip


def _sales(agreement: Agreement, month: Course) -> list[Promise]:
    promises = [
        kept_in_time("First touch in time", month, ClockKind.FIRST_TOUCH, agreement.on_time_goal),
        attempts_made(month, agreement.attempts_owed),
        kept_in_time("Verdict in time", month, ClockKind.VERDICT, agreement.verdict_goal),
    ]
    if agreement.conversion_goal:
        goal = agreement.conversion_goal
        promises.append(share_kept("SQLs won", month, Outcome.WON, Outcome.SETTLED, goal))
    return promises


def _pacing(agreement: Agreement, month: Course, now: datetime) -> Pacing | None:
    """Return the volume against its pace: spread over the working time of the month."""
    if not agreement.mqls_per_month:
        return None
    calendar = WorkCalendar.objects.measuring(None)
    shares = _shares(calendar.hours if calendar else None, month.period)
    days = [month.period.first + timedelta(days=at) for at in range(len(shares))]
    today = timezone.localtime(now).date()
    come = [day for day in days if day <= today]
    arrived = month.verdicts.by_day
    total, line = 0, list[int | None]()
    for day in days:
        total += arrived.get(day, 0)
        line.append(total if day <= today else None)
    pace = [round(agreement.mqls_per_month * share) for share in shares]
    return Pacing(
        promised=agreement.mqls_per_month,
        handed=sum(arrived.values()),
        pace=pace[len(come) - 1] if come else 0,
        chart={
            "kind": "line",
            "labels": [f"{day.day} {day:%b}" for day in days],
            "series": [
                {"name": "Handed over", "values": line},
                {"name": "Pace", "values": pace, "dashedFrom": 0},
            ],
        },
        url=month.url(ClockKind.VERDICT),
    )


def _shares(calendar: BusinessCalendar | None, month: Period) -> list[float]:
    """Return the part of the month's working time that has passed by the end of each day."""
    length = (month.last - month.first).days + 1
    if calendar is None:
        return [(at + 1) / length for at in range(length)]
    begin = _midnight(month.first, calendar.timezone)
    ends = [_midnight(month.first + timedelta(days=at + 1), calendar.timezone)
            for at in range(length)]  # fmt: skip
    worked = [working_time_between(begin, end, calendar) for end in ends]
    return [each / worked[-1] if worked[-1] else 0.0 for each in worked]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)

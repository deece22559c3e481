"""What both sides promised, and how far they have kept it in a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from crm.common.period import Period
from crm.reports.outcomes import Outcome
from crm.reports.standing import Scope
from crm.reports.sums import Slot
from crm.reports.tally import Tally
from handoff.business_hours import BusinessCalendar, working_time_between
from handoff.enums import ClockKind
from handoff.models import Agreement, WorkCalendar

FEWEST = 10


@dataclass(frozen=True)
class Promise:
    """One promise with what came of it; ``is_kept`` is None while too little is known."""

    label: str
    figure: str
    sample: str
    asked: str
    url: str
    is_kept: bool | None


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
    month = _month(period, now)
    return Scorecard(
        month=period,
        pacing=_pacing(agreement, month, now),
        marketing=[
            _share("Accepted by sales", month, Outcome.ACCEPTED, Outcome.ANSWERED,
                   agreement.acceptance_goal),
            _share("Became SQL", month, Outcome.QUALIFIED, Outcome.DECIDED, agreement.sql_goal),
        ],
        sales=_sales(agreement, month),
    )  # fmt: skip


@dataclass(frozen=True)
class _Month:
    """A month and what its handoffs came to, by their clocks of the verdict and the touch."""

    period: Period
    verdicts: Tally
    touches: Tally


def _month(period: Period, now: datetime) -> _Month:
    def tally(kind: ClockKind, *slots: Slot) -> Tally:
        return Tally(Scope(kind, period.start, period.end), slots, now=now)

    return _Month(
        period,
        verdicts=tally(ClockKind.VERDICT, Slot.ALL, Slot.OUTCOME, Slot.ATTEMPTS),
        touches=tally(ClockKind.FIRST_TOUCH, Slot.ALL),
    )


def _sales(agreement: Agreement, month: _Month) -> list[Promise]:
    promises = [
        _on_time("First touch in time", month, ClockKind.FIRST_TOUCH, agreement.on_time_goal),
        _attempts(agreement.attempts_owed, month),
        _on_time("Verdict in time", month, ClockKind.VERDICT, agreement.verdict_goal),
    ]
    if agreement.conversion_goal:
        goal = agreement.conversion_goal
        promises.append(_share("SQLs won", month, Outcome.WON, Outcome.SETTLED, goal))
    return promises


def _share(label: str, month: _Month, part: Outcome, whole: Outcome, goal: int) -> Promise:
    found = month.verdicts
    url = _url(month.period, ClockKind.VERDICT, outcome=whole.value)
    return _percent(label, found.came_to(part), found.came_to(whole), goal, url)


def _on_time(label: str, month: _Month, kind: ClockKind, goal: int) -> Promise:
    found = month.verdicts if kind is ClockKind.VERDICT else month.touches
    url = _url(month.period, kind)
    return _percent(label, found.kept, found.kept + found.late, goal, url)


def _percent(label: str, part: int, whole: int, goal: int, url: str) -> Promise:
    """Return a share; under ten there are counts, and nobody is behind."""
    asked = f"at least {goal} %"
    if whole < FEWEST:
        return Promise(label, f"{part} of {whole}", "", asked, url, None)
    share = 100 * part / whole
    return Promise(label, f"{share:.1f} %", f"n = {whole:,}", asked, url, share >= goal)


def _attempts(owed: int, month: _Month) -> Promise:
    found = month.verdicts
    leads = found.came_to(Outcome.GIVEN_UP)
    made = sum(times * number for times, number in found.attempts.items())
    mean = made / leads if leads else None
    url = _url(month.period, ClockKind.VERDICT, outcome=Outcome.GIVEN_UP.value)
    is_kept = mean >= owed if mean is not None and leads >= FEWEST else None
    figure = "–" if mean is None else f"{mean:.1f}"
    label = "Attempts before giving up"
    return Promise(label, figure, f"n = {leads:,}", f"at least {owed}", url, is_kept)


def _url(month: Period, kind: ClockKind, **more: str) -> str:
    query = urlencode({**month.parameters, "kind": kind.value, **more})
    return f"{reverse('reports:sla_handoffs')}?{query}"


def _pacing(agreement: Agreement, month: _Month, now: datetime) -> Pacing | None:
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
        url=_url(month.period, ClockKind.VERDICT),
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

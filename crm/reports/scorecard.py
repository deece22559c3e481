"""What both sides promised, and how far they have kept it in a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from crm.common.period import Period
from crm.reports.outcomes import OUTCOMES, Outcome
from crm.reports.sla import Scope, Standing, clocks
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
    month = Period(day.replace(day=1), following - timedelta(days=1))
    counted = _counted(month, now)
    return Scorecard(
        month=month,
        pacing=_pacing(agreement, month, counted["all"], now),
        marketing=[
            _share("Accepted by sales", counted, Outcome.ACCEPTED, Outcome.ANSWERED,
                   agreement.acceptance_goal, month),
            _share("Became SQL", counted, Outcome.QUALIFIED, Outcome.DECIDED,
                   agreement.sql_goal, month),
        ],
        sales=_sales(agreement, month, counted, now),
    )  # fmt: skip


def _counted(month: Period, now: datetime) -> dict[str, Any]:
    """Count the outcomes of the month's handoffs, each by its one clock of the verdict."""
    asked = {outcome.value: Count("pk", filter=where) for outcome, where in OUTCOMES.items()}
    found: dict[str, Any] = clocks(_scope(month, ClockKind.VERDICT), now=now).aggregate(
        all=Count("pk"),
        attempts=Avg("handoff__attempts", filter=OUTCOMES[Outcome.GIVEN_UP]),
        **asked,
    )
    return found


def _scope(month: Period, kind: ClockKind) -> Scope:
    return Scope(kind, month.start, month.end)


def _sales(
    agreement: Agreement, month: Period, counted: dict[str, Any], now: datetime
) -> list[Promise]:
    promises = [
        _on_time("First touch in time", ClockKind.FIRST_TOUCH, agreement.on_time_goal, month, now),
        _attempts(agreement.attempts_owed, counted, month),
        _on_time("Verdict in time", ClockKind.VERDICT, agreement.verdict_goal, month, now),
    ]
    if agreement.conversion_goal:
        promises.append(
            _share("SQLs won", counted, Outcome.WON, Outcome.SETTLED, agreement.conversion_goal,
                   month)
        )  # fmt: skip
    return promises


def _share(
    label: str, counted: dict[str, Any], part: Outcome, whole: Outcome, goal: int, month: Period
) -> Promise:
    url = _url(month, ClockKind.VERDICT, outcome=whole.value)
    return _percent(label, counted[part.value], counted[whole.value], goal, url)


def _on_time(label: str, kind: ClockKind, goal: int, month: Period, now: datetime) -> Promise:
    of_month = clocks(_scope(month, kind), now=now)
    found = of_month.aggregate(
        kept=Count("pk", filter=Q(standing=Standing.ON_TIME.value)),
        late=Count("pk", filter=Q(standing=Standing.LATE.value)),
    )
    url = _url(month, kind)
    return _percent(label, found["kept"], found["kept"] + found["late"], goal, url)


def _percent(label: str, part: int, whole: int, goal: int, url: str) -> Promise:
    """Return a share; under ten there are counts, and nobody is behind."""
    asked = f"at least {goal} %"
    if whole < FEWEST:
        return Promise(label, f"{part} of {whole}", "", asked, url, None)
    share = 100 * part / whole
    return Promise(label, f"{share:.1f} %", f"n = {whole:,}", asked, url, share >= goal)


def _attempts(owed: int, counted: dict[str, Any], month: Period) -> Promise:
    leads, mean = counted[Outcome.GIVEN_UP.value], counted["attempts"]
    url = _url(month, ClockKind.VERDICT, outcome=Outcome.GIVEN_UP.value)
    is_kept = float(mean) >= owed if mean is not None and leads >= FEWEST else None
    figure = "–" if mean is None else f"{mean:.1f}"
    label = "Attempts before giving up"
    return Promise(label, figure, f"n = {leads:,}", f"at least {owed}", url, is_kept)


def _url(month: Period, kind: ClockKind, **more: str) -> str:
    query = urlencode({**month.parameters, "kind": kind.value, **more})
    return f"{reverse('reports:sla_handoffs')}?{query}"


def _pacing(agreement: Agreement, month: Period, handed: int, now: datetime) -> Pacing | None:
    """Return the volume against its pace: spread over the working time of the month."""
    if not agreement.mqls_per_month:
        return None
    calendar = WorkCalendar.objects.measuring(None)
    shares = _shares(calendar.hours if calendar else None, month)
    days = [month.first + timedelta(days=at) for at in range(len(shares))]
    today = timezone.localtime(now).date()
    come = [day for day in days if day <= today]
    arrived = _by_day(month, now)
    total, line = 0, list[int | None]()
    for day in days:
        total += arrived.get(day, 0)
        line.append(total if day <= today else None)
    pace = [round(agreement.mqls_per_month * share) for share in shares]
    return Pacing(
        promised=agreement.mqls_per_month,
        handed=handed,
        pace=pace[len(come) - 1] if come else 0,
        chart={
            "kind": "line",
            "labels": [f"{day.day} {day:%b}" for day in days],
            "series": [
                {"name": "Handed over", "values": line},
                {"name": "Pace", "values": pace, "dashedFrom": 0},
            ],
        },
        url=_url(month, ClockKind.VERDICT),
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


def _by_day(month: Period, now: datetime) -> dict[date, int]:
    found = clocks(_scope(month, ClockKind.VERDICT), now=now)
    of_days = found.values_list(TruncDate("started_at")).annotate(Count("pk")).order_by()
    return dict(of_days)

"""The first promise of each side with its course over a month: volume on pace, touches on time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from django.utils import timezone

from crm.common.period import Period
from crm.common.ui.line_chart import LineChart, Scale, line_chart
from crm.reports.promises import FEWEST, Course
from crm.reports.standing import Sample, Standing
from crm.reports.tally import Tally
from handoff.business_hours import BusinessCalendar, working_time_between
from handoff.enums import ClockKind
from handoff.models import WorkCalendar


@dataclass(frozen=True)
class Headline:
    """A promise as figure and course; ``is_kept`` is None while too little is known.

    ``says`` is what the line of the chart is. ``url`` lists what the figure counts, ``of_url``
    what that is a part of, if it is of anything.
    """

    label: str
    figure: str
    of: str
    note: str
    url: str
    is_kept: bool | None
    chart: LineChart
    says: str
    of_url: str = ""


def volume(promised: int, month: Course, *, now: datetime) -> Headline:
    """Return the MQLs handed over against their pace: spread over the working time of the month."""
    calendar = WorkCalendar.objects.measuring(None)
    days = _days(month.period)
    come = _come(days, now)
    arrived = month.verdicts.by_day
    line = list(accumulate(arrived.get(day, 0) for day in come))
    shares = _shares(calendar.hours if calendar else None, days)
    pace = [round(promised * share) for share in shares]
    handed, due = (line[-1], pace[len(come) - 1]) if come else (0, 0)
    return Headline(
        label=f"MQLs in {days[0]:%B}",
        figure=f"{handed:,}",
        of=f"of {promised:,}",
        note=f"Pace {due:,}, so {_distance(handed - due)}",
        url=month.url(ClockKind.VERDICT),
        is_kept=handed >= due,
        chart=line_chart(
            [_short(day) for day in days],
            line,
            scale=Scale.from_nothing(max(handed, promised)),
            pace=pace,
            sentence=f"{handed} of {promised} MQLs handed over; the pace asks for {due} by now",
        ),
        says="Handed over so far",
    )


def touched_in_time(goal: int, month: Course, *, now: datetime) -> Headline:
    """Return the share of first touches in time, day by day of all handed over until then."""
    days, found = _days(month.period), month.touches
    course = list(_course(found, _come(days, now)))
    due = found.kept + found.late
    figure = f"{100 * found.kept / due:.1f} %" if due >= FEWEST else f"{found.kept}"
    lowest = min([goal, *(share for share in course if share is not None)])
    return Headline(
        label=f"First touch on time in {days[0]:%B}",
        figure=figure,
        of=f"of {due:,} due",
        note=f"Agreed {goal} %{_lowest_day(found)}",
        url=month.url(ClockKind.FIRST_TOUCH, standing=Standing.ON_TIME.value),
        of_url=month.url(ClockKind.FIRST_TOUCH, standing=Sample.DUE.value),
        is_kept=found.kept * 100 >= goal * due if due >= FEWEST else None,
        chart=line_chart(
            [_short(day) for day in days],
            course,
            scale=Scale(max(min(80, 10 * (int(lowest) // 10)), 0), 100, " %"),
            goal=(goal, f"agreed {goal}"),
            sentence=f"First touch in time: {figure}, against the agreed {goal} percent",
        ),
        says="On time so far",
    )


def _course(found: Tally, days: Sequence[date]) -> Iterator[float | None]:
    kept = due = 0
    for day in days:
        on_time, late = found.answers_by_day.get(day, (0, 0))
        kept, due = kept + on_time, due + on_time + late
        yield round(100 * kept / due, 1) if due >= FEWEST else None


def _lowest_day(found: Tally) -> str:
    answers = found.answers_by_day.values()
    shares = [kept / (kept + late) for kept, late in answers if kept + late >= FEWEST]
    return f", lowest day {100 * min(shares):.1f} %" if shares else ""


def _distance(ahead: int) -> str:
    return f"{abs(ahead):,} {'ahead' if ahead > 0 else 'behind'}" if ahead else "on pace"


def _days(month: Period) -> list[date]:
    return [month.first + timedelta(days=at) for at in range((month.last - month.first).days + 1)]


def _come(days: Sequence[date], now: datetime) -> list[date]:
    today = timezone.localtime(now).date()
    return [day for day in days if day <= today]


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _shares(calendar: BusinessCalendar | None, days: Sequence[date]) -> list[float]:
    """Return the part of the month's working time that has passed by the end of each day."""
    if calendar is None:
        return [(at + 1) / len(days) for at in range(len(days))]
    begin = _midnight(days[0], calendar.timezone)
    ends = [_midnight(day + timedelta(days=1), calendar.timezone) for day in days]
    worked = [working_time_between(begin, end, calendar) for end in ends]
    return [each / worked[-1] if worked[-1] else 0.0 for each in worked]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)

"""Spans of time that figures cover: half-open, in the viewer's zone. Pure but for that zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from crm.common.instants import day_problem


class PeriodInvalid(Exception):
    """The dates of an address make no period; the message says what would."""


@dataclass(frozen=True)
class Period:
    """All instants of the local days ``first`` to ``last``, both included."""

    first: date
    last: date
    name: str = "custom"

    @property
    def start(self) -> datetime:
        """Return the first instant of the first day."""
        return timezone.make_aware(datetime.combine(self.first, time.min))

    @property
    def end(self) -> datetime:
        """Return the instant at which the day after the last begins; not part of the period."""
        return timezone.make_aware(datetime.combine(self.last + timedelta(days=1), time.min))

    @property
    def label(self) -> str:
        """Return the period as people write it: ``1-31 May 2026``."""
        first, last = self.first, self.last
        if first == last:
            return f"{last.day} {last:%b %Y}"
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{last.day} {last:%b %Y}"
        if first.year == last.year:
            return f"{first.day} {first:%b} – {last.day} {last:%b %Y}"
        return f"{first.day} {first:%b %Y} – {last.day} {last:%b %Y}"

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of an address that name the same period again."""
        if self.name != "custom":
            return {"period": self.name}
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    def before(self) -> Period:
        """Return the period of the same length that ends where this one begins."""
        length = self.last - self.first
        last = self.first - timedelta(days=1)
        return Period(last - length, last)


PRESETS: Mapping[str, str] = {
    "today": "Today",
    "7d": "7 days",
    "month": "This month",
    "quarter": "3 months",
    "year": "12 months",
}


def period_from(query: Mapping[str, str], *, now: datetime, default: str) -> Period:
    """Return the period an address asks for: ``period=month``, or ``from`` and ``to`` dates.

    Raises:
        PeriodInvalid: for a name or date that is none, or an end before its start.
    """
    if query.get("from") or query.get("to"):
        return read_period(query.get("from", ""), query.get("to", ""))
    name = query.get("period") or default
    today = timezone.localtime(now).date()
    first_of_month = today.replace(day=1)
    starts = {
        "today": today,
        "7d": today - timedelta(days=6),
        "month": first_of_month,
        "quarter": months_before(first_of_month, 2),
        "year": months_before(first_of_month, 11),
    }
    if name not in starts:
        raise PeriodInvalid(f"There is no period {name[:20]!r}; choose one above or two dates.")
    return Period(starts[name], today, name)


def months_before(first_of_month: date, months: int) -> date:
    """Return the first day of the month so many months earlier."""
    year, month = divmod(first_of_month.year * 12 + first_of_month.month - 1 - months, 12)
    return date(year, month + 1, 1)


def read_period(first: str, last: str) -> Period:
    """Return the period between two ISO dates, both included.

    Raises:
        PeriodInvalid: for a date that is none or too far away, or an end before its start.
    """
    try:
        period = Period(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError as error:
        raise PeriodInvalid("Give both dates as 2026-05-31.") from error
    if period.last < period.first:
        raise PeriodInvalid("The period ends before it starts.")
    if problem := day_problem(period.first) or day_problem(period.last):
        raise PeriodInvalid(problem)
    return period

"""Which times and dates are taken from outside: others cannot always be stored, read or shown.

A year beyond 9999 or before Christ can be reached from a form through its time zone alone, and no
row that holds one can be read again. One bound, far inside of that, holds for whoever takes a time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.core.exceptions import ValidationError

FIRST_YEAR, LAST_YEAR = 1900, 2200
_EARLIEST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_END = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
_OUTSIDE = f"Give a {{}} between {FIRST_YEAR} and {LAST_YEAR}."

#: How far ahead somebody may plan. Our choice: what lies beyond is a slip of the keyboard.
PLANNED_WITHIN = timedelta(days=731)
_NO_PLAN = "Give a {} between {} and two years from now."


class InstantInvalid(ValueError):
    """A time outside of the years that Baton knows; the message says which it does."""


def instant_problem(at: datetime) -> str:
    """Say what is wrong with an aware time, in a sentence; empty when nothing is."""
    return "" if _EARLIEST <= at < _END else _OUTSIDE.format("time")


def day_problem(day: date) -> str:
    """Say what is wrong with a date, in a sentence; empty when nothing is."""
    return "" if FIRST_YEAR <= day.year <= LAST_YEAR else _OUTSIDE.format("date")


def plan_problem(at: datetime, *, now: datetime) -> str:
    """Say why something cannot be planned for ``at``, in a sentence; empty when it can."""
    return "" if now < at <= now + PLANNED_WITHIN else _NO_PLAN.format("time", "now")


def plan_day_problem(day: date, *, today: date) -> str:
    """Say why something cannot be planned for ``day``, in a sentence; empty when it can."""
    is_planned = today < day <= today + PLANNED_WITHIN
    return "" if is_planned else _NO_PLAN.format("date", "tomorrow")


def check_instant(at: datetime) -> None:
    """Return when an aware time can be kept.

    Raises:
        InstantInvalid: it lies outside of the years 1900 to 2200.
    """
    if problem := instant_problem(at):
        raise InstantInvalid(problem)


def validate_instant(at: datetime) -> None:
    """Refuse, beside its field, a time of a form that ``check_instant`` refuses."""
    if problem := instant_problem(at):
        raise ValidationError(problem)


def validate_day(day: date) -> None:
    """Refuse, beside its field, a date of a form outside of the years 1900 to 2200."""
    if problem := day_problem(day):
        raise ValidationError(problem)

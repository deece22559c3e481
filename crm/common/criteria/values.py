"""Reading the values of leaves: numbers, dates, periods and lists, from JSON or from an address."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone

from crm.common.instants import instant_problem

LONGEST_TEXT = 200
MOST_CHOICES = 100
MOST_PLACES = 30
_PERIOD = re.compile(r"(\d{1,4})([hdw])")
_UNITS = {"h": ("hour", timedelta(hours=1)), "d": ("day", timedelta(days=1)),
          "w": ("week", timedelta(weeks=1))}  # fmt: skip


class ValueInvalid(Exception):
    """A value does not fit its field; the message says what would."""


def text(value: Any) -> str:
    """Return a text that can stand in a query.

    Raises:
        ValueInvalid: when it is no text, empty, too long, or holds what cannot be stored.
    """
    if not isinstance(value, str) or not value.strip():
        raise ValueInvalid("needs a text")
    if len(value) > LONGEST_TEXT:
        raise ValueInvalid(f"is longer than {LONGEST_TEXT} characters")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueInvalid("holds a character that cannot be stored")
    return value.strip()


def number(value: Any) -> Decimal:
    """Return a finite number from JSON or text.

    Raises:
        ValueInvalid: when it is none, or one that the database cannot compare.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueInvalid("needs a number")
    try:
        result = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueInvalid("needs a number") from error
    # By the exponent: arithmetic overflows on 1e1000000, and the database on 1e-20000.
    if not result.is_finite() or result.adjusted() >= 12:
        raise ValueInvalid("needs a number below a trillion")
    if int(result.as_tuple().exponent) < -MOST_PLACES:
        raise ValueInvalid(f"needs a number with at most {MOST_PLACES} decimal places")
    return result


def boolean(value: Any) -> bool:
    """Return yes or no from JSON or text."""
    answers = {True: True, False: False, "yes": True, "no": False, "true": True, "false": False}
    if not isinstance(value, bool | str) or value not in answers:
        raise ValueInvalid("needs yes or no")
    return answers[value]


def moment(value: Any) -> datetime:
    """Return in UTC the instant a date (its local midnight) or an ISO time names.

    A time without an offset is one of the current zone.
    """
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is not None:
        aware = parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)
        if not instant_problem(aware):
            return aware.astimezone(UTC)  # PostgreSQL takes offsets below 16 hours only
    raise ValueInvalid("needs a date such as 2026-05-31")


def period(value: Any) -> timedelta:
    """Return the span ``24h``, ``7d`` or ``2w`` names."""
    match = _PERIOD.fullmatch(value) if isinstance(value, str) else None
    if not match or int(match[1]) == 0:
        raise ValueInvalid("needs a span such as 24h, 7d or 2w")
    return int(match[1]) * _UNITS[match[2]][1]


def period_words(value: str) -> str:
    """Return ``7d`` as ``7 days``."""
    match = _PERIOD.fullmatch(value)
    if not match:
        return value
    unit = _UNITS[match[2]][0]
    return f"{match[1]} {unit}{'' if match[1] == '1' else 's'}"


def start_of(named: str, now: datetime) -> datetime:
    """Return when ``today``, ``week`` (Monday) or ``month`` began in the current zone."""
    today: date = timezone.localtime(now).date()
    starts = {
        "today": today,
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
    }
    if named not in starts:
        raise ValueInvalid("needs today, week or month")
    return timezone.make_aware(datetime.combine(starts[named], time.min))


def choices(value: Any, allowed: Sequence[str] | None) -> list[str]:
    """Return a list of choices, known ones unless ``allowed`` is None; one may stand alone."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values or len(values) > MOST_CHOICES:
        raise ValueInvalid("needs one or more choices")
    if allowed is None:
        return [text(each) for each in values]
    for each in values:
        if not isinstance(each, str) or each not in allowed:
            shown = str(each)[:40]
            raise ValueInvalid(f"does not know {shown!r}; it knows {', '.join(allowed[:12])}")
    return values

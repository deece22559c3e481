"""Custom attributes: what a declared key may hold. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from leads.enums import AttributeType
from leads.normalise import NotText, clean_text

AttributeValue = str | float | bool | None

#: Characters of a text; longer ones are refused.
TEXT_LIMIT = 1000
#: Before the decimal point: as many as JSON readers keep exactly.
_DIGITS = 15
_YES = frozenset({"yes", "true", "1", "on", "y"})
_NO = frozenset({"no", "false", "0", "off", "n"})


class AttributeInvalid(ValueError):
    """The value is not what the attribute was declared to hold; the message says what is."""


def parse_attribute(kind: AttributeType, value: object, choices: Sequence[str]) -> AttributeValue:
    """Return ``value`` as stored in JSON, or None when it is blank ("no answer").

    Numbers are stored as numbers, dates as ISO 8601 text.

    Raises:
        AttributeInvalid: when it does not fit ``kind``.
    """
    try:
        text = clean_text("" if value is None else str(value))
    except NotText as problem:
        raise AttributeInvalid(str(problem)) from problem
    return _PARSERS[kind](text, choices) if text else None


def _text(text: str, _: Sequence[str]) -> str:
    if len(text) > TEXT_LIMIT:
        raise AttributeInvalid(f"is longer than {TEXT_LIMIT} characters")
    return text


def _number(text: str, _: Sequence[str]) -> float:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    # By its exponent: arithmetic, comparison included, overflows on 1e1000000.
    if not number.is_finite() or number.adjusted() >= _DIGITS:
        raise AttributeInvalid(f"{text[:40]!r} is not a number")
    return int(number) if number == number.to_integral_value() else float(number)


def _boolean(text: str, _: Sequence[str]) -> bool:
    word = text.lower()
    if word not in _YES | _NO:
        raise AttributeInvalid(f"{text[:40]!r} is neither yes nor no")
    return word in _YES


def _date(text: str, _: Sequence[str]) -> str:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise AttributeInvalid(f"{text[:40]!r} is not a date such as 2026-05-31") from None
    return day.isoformat()


def _choice(text: str, choices: Sequence[str]) -> str:
    for choice in choices:
        if choice.lower() == text.lower():
            return choice
    raise AttributeInvalid(f"{text[:40]!r} is not one of: {', '.join(choices)}")


_PARSERS: Mapping[AttributeType, Callable[[str, Sequence[str]], AttributeValue]] = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.BOOLEAN: _boolean,
    AttributeType.DATE: _date,
    AttributeType.CHOICE: _choice,
}

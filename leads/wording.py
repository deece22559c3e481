"""How the values of a lead are said to people. Pure."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

from leads.enums import AttributeType


def attribute_words(kind: AttributeType, value: object) -> str:
    """Return the value of a custom attribute: ``Yes``, ``1,200``, ``31 May 2026``.

    A value from before the attribute was declared anew may be of another kind: it is said as it is.
    """
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float):
        return f"{value:,}"
    if kind is AttributeType.DATE:
        with suppress(ValueError):
            day = date.fromisoformat(str(value))
            return f"{day.day} {day:%b %Y}"
    return str(value)

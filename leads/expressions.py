"""Conditions that the ORM has no short way to say."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Func, TextField, Value


def is_any_of(column: str, values: Iterable[str]) -> Func:
    """Return the condition that the text in ``column`` is one of ``values``.

    One parameter, where ``__in`` makes thousands that the driver has to find and count.
    """
    array = Value(list(values), output_field=ArrayField(TextField()))
    return Func(
        F(column), array, template="%(expressions)s)", arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )  # fmt: skip

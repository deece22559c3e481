"""Expressions by which rows are put in order, or compared with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, F, Func


class Unindexed(Func):
    """The value of a column, as no index holds it: rows in this order are found first, then sorted.

    The planner takes the conditions of a list for independent. Where they are not it walks an order
    for a page that is not there.
    """

    template = "(ARRAY[%(expressions)s])[1]"


class Compared(Func):
    """Whether some columns together stand before or after some values."""

    output_field = BooleanField()

    def __init__(self, columns: Sequence[F], values: Sequence[Any], *, sign: str) -> None:
        """``sign`` is ``<`` or ``>``."""
        super().__init__(*columns)
        self.values, self.sign = values, sign

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Compare rows, as PostgreSQL calls them."""
        del connection
        columns = [compiler.compile(each)[0] for each in self.get_source_expressions()]
        marks = ", ".join("%s" for _ in self.values)
        return f"({', '.join(columns)}) {self.sign} ({marks})", list(self.values)

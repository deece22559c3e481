"""The terms of an order: by what rows are put in it, or compared with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, F, Func, OrderBy, Q

#: What rows bring along of the table that they are put in order by.
SORTED_BY = "sorted_by"


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


@dataclass(frozen=True)
class Term:
    """One ordering column. A nullable one sorts its nulls last in either direction."""

    path: str
    descending: bool
    nullable: bool

    @property
    def is_elsewhere(self) -> bool:
        """Say whether it is a column of another table: rows of a page bring its value along."""
        return self.nullable and "__" in self.path

    def expression(self, *, backwards: bool, is_indexed: bool = True) -> OrderBy:
        """Return the order_by expression; nulls are spelt only where the index spells them."""
        descending = self.descending is not backwards
        nulls = {"nulls_first" if backwards else "nulls_last": True} if self.nullable else {}
        column = F(self.path) if is_indexed else Unindexed(F(self.path))
        return column.desc(**nulls) if descending else column.asc(**nulls)

    def side(self, *, backwards: bool) -> str:
        """Return the lookup of values beyond one."""
        return "lt" if self.descending is not backwards else "gt"

    def value_of(self, row: Any) -> Any:
        """Return the row's value in this column; a missing related row means None."""
        if self.is_elsewhere and SORTED_BY in row.__dict__:
            return row.__dict__[SORTED_BY]
        value = row
        for name in self.path.split("__"):
            value = getattr(value, name, None)
        return value

    def compare(self, one: Any, other: Any, *, backwards: bool) -> int:
        """Return -1 when ``one`` comes before ``other`` in this column, 1 when after it, else 0."""
        value, others = self.value_of(one), self.value_of(other)
        if value == others:
            return 0
        if value is None or others is None:
            return 1 if (value is None) is not backwards else -1
        return 1 if (value > others) is not (self.descending is not backwards) else -1


def read_term(text: str) -> Term:
    """Return the term that ``-score__engagement_score?`` spells, see ``keyset_page``."""
    return Term(text.strip("-?"), text.startswith("-"), text.endswith("?"))


def beyond(terms: list[Term], values: list[Any], *, backwards: bool) -> Q:
    """Return the rows after the mark in lexicographic order.

    In an order of one direction rows are compared whole: an index can then start at the mark
    itself, even among many of one value.
    """
    sides = [term.side(backwards=backwards) for term in terms]
    if len(set(sides)) == 1:
        sign = "<" if sides[0] == "lt" else ">"
        return Q(Compared([F(term.path) for term in terms], values, sign=sign))
    result = Q()
    for term, side, value in reversed(list(zip(terms, sides, values, strict=True))):
        beyond = Q(**{f"{term.path}__{side}": value})
        result = beyond | (Q(**{term.path: value}) & result) if result else beyond
    return Q(**{f"{terms[0].path}__{sides[0]}e": values[0]}) & result

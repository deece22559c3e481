"""The next rows of a list in its order, found where the planner would walk to the end of it.

The planner takes the conditions of a list for independent of each other and of the order. Where
they are not, it walks an order for a page that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from django.db.models import (
    Exists,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
)

from crm.common.conditions import Ids, without_relation
from crm.common.orders import SORTED_BY, Term, beyond

#: Rows of an order that are looked through for a page before its rows are looked up: by their keys
#: alone, as an index holds them, in 1 to 10 ms each. How many more it takes shows after ``FAR``.
NEAR, FAR, FARTHEST = 500, 5_000, 20_000
_SLACK = 1.5  # rows may lie farther apart than those that were found so far
FARTHEST_AMONG = 100_000  # keys that are looked up among few others instead, in 10 ms
#: Rows that are looked up for each of a page, at first and then: all that they pass is one table's
#: conditions, which mostly are those of the list.
_SPARE = (1.5, 8)
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Hint(Generic[M]):
    """What is known of the rows of a list that the planner does not make use of.

    Args:
        whole: rows that those of the list are a part of, all of them in the indexes of its orders.
        among: where one index has the ids of few rows among which are all of the list.
        is_short: whether all rows there are looked up sooner than the next of them are found.
        bound: what all rows of the list pass that asks for nothing but the first column of its
            order.
    """

    whole: QuerySet[M]
    among: Ids | None = None
    is_short: bool = False
    bound: Q = field(default_factory=Q)


@dataclass(frozen=True)
class Stretch:
    """The rows of one range of one index, from where a page may start, in reading order.

    ``is_known`` says that it has those whose value is known: how many others are near nobody knows.
    """

    terms: list[Term]
    values: list[Any] | None
    backwards: bool
    condition: Q
    is_known: bool = True

    def first(self, queryset: QuerySet[M], limit: int, hint: Hint[M] | None) -> list[M]:
        """Return the first ``limit`` rows of ``queryset`` in it, or all if there are fewer."""
        if hint is None:
            return list(self.rows(queryset)[:limit])
        found = self._first_found(queryset, limit, hint)
        return list(self.rows(queryset, is_indexed=False)[:limit]) if found is None else found

    def _first_found(self, queryset: QuerySet[M], limit: int, hint: Hint[M]) -> list[M] | None:
        """Return the first rows by what is known of them; None where it is quicker to sort all."""
        if hint.among is None:
            return self._first_near(queryset, limit, hint)
        if hint.is_short:
            return None
        return self._first_among(queryset, limit, hint, hint.among)

    def _first_among(
        self, queryset: QuerySet[M], limit: int, hint: Hint[M], among: Ids
    ) -> list[M] | None:
        """Return the first rows by looking up no others but those; None if they are far."""
        for spare in _SPARE:
            most = int(limit * spare)
            ids, are_all = self._next_ids(hint, among, most)
            these = queryset.filter(pk__in=ids)
            found = list(self.rows(these, is_indexed=False)[:limit])
            if len(found) == limit or are_all:
                return found
            if len(ids) < most:
                break
        return None

    def _next_ids(self, hint: Hint[M], among: Ids, most: int) -> tuple[list[Any], bool]:
        """Return the next ids of rows that may be in it, and whether there are no others.

        Without known values the order is that of the ids: they need not be sought in another.
        """
        if self.is_known:
            return self._keys(hint).first_among(among, most, within=FARTHEST_AMONG)
        side = self.terms[0].side(backwards=self.backwards)
        there = among.beyond(side, self.values[0]) if self.values else among
        ids = list(there.in_order(descending=side == "lt")[:most])
        return ids, len(ids) < most

    def _first_near(self, queryset: QuerySet[M], limit: int, hint: Hint[M]) -> list[M] | None:
        """Return the first rows if they are near; None when it is quicker to sort all."""
        if not self.is_known:
            return None
        keys = self._keys(hint).values
        distance: int | None = NEAR
        while distance:
            # No array: the planner has to know how many keys there are. Nor is asked again what
            # they say: it would take both for conditions that seldom meet.
            near = queryset.filter(pk__in=keys[:distance])
            found = list(self.in_order(near, is_indexed=False)[:limit])
            if len(found) == limit:
                return found
            is_nearest = distance == NEAR
            distance = FAR if is_nearest else _farther(distance, len(found), limit)
        return None

    def _keys(self, hint: Hint[M]) -> Ids:
        """Return the keys of rows in this order, of the whole or more, as one index has them."""
        first = self.terms[0]
        if not first.is_elsewhere:
            return Ids(self.rows(hint.whole.filter(hint.bound)), "pk")
        name, column = first.path.split("__", 1)
        relation: Any = hint.whole.model._meta.get_field(name)
        terms = [replace(term, path=term.path.split("__", 1)[1]) for term in self.terms]
        there = replace(self, terms=terms, condition=Q(**{f"{column}__isnull": False}))
        bound = without_relation(hint.bound, name)
        every = relation.related_model._default_manager.filter(bound)
        return Ids(there.rows(every), relation.field.name)

    def rows(self, queryset: QuerySet[M], *, is_indexed: bool = True) -> QuerySet[M]:
        """Return those of ``queryset``; without ``is_indexed`` by no index of the order."""
        found = self.in_order(queryset.filter(self.condition), is_indexed=is_indexed)
        if self.values is None:
            return found
        return found.filter(beyond(self.terms, self.values, backwards=self.backwards))

    def in_order(self, rows: QuerySet[M], *, is_indexed: bool) -> QuerySet[M]:
        """Return all of ``rows`` in the order of the stretch."""
        return self._with_value(rows).order_by(
            *(
                term.expression(backwards=self.backwards, is_indexed=is_indexed)
                for term in self.terms
            )
        )

    def _with_value(self, queryset: QuerySet[M]) -> QuerySet[M]:
        """Let rows bring along what a cursor says of them, which else is a query for each."""
        first = self.terms[0]
        if self.is_known and not first.is_elsewhere:
            return queryset
        value = F(first.path) if self.is_known else Value(None, output_field=TextField())
        carrying: QuerySet[M] = queryset.annotate(**{SORTED_BY: value})
        return carrying


def _farther(distance: int, found: int, limit: int) -> int | None:
    """Return how far to look next when too few were found; None when it is quicker to sort all."""
    needed = int(distance * _SLACK * limit / found) if found else FARTHEST + 1
    return needed if distance < needed <= FARTHEST else None


def stretches(
    model: type[Model], terms: list[Term], values: list[Any] | None, *, backwards: bool
) -> Iterator[Stretch]:
    """Yield the pieces of a list beyond ``values``, or of all of it, in reading order.

    Known and null values of the first column are asked for one after the other, so that each
    question is one range of one index.
    """
    first, rest = terms[0], terms[1:]
    if not first.nullable:
        yield Stretch(terms, values, backwards, Q())
        return
    there = _Elsewhere(model, first.path)
    known = Stretch(there.terms(terms), values, backwards, Q(**{f"{first.path}__isnull": False}))
    if values and values[0] is None:
        unknown = there.unknown(**{f"{rest[0].side(backwards=backwards)}e": values[1]})
        yield Stretch(rest, values[1:], backwards, unknown, is_known=False)
        if backwards:
            yield replace(known, values=None)
        return
    yield known
    if not backwards:
        yield Stretch(rest, None, backwards, there.unknown(), is_known=False)


@dataclass(frozen=True)
class _Elsewhere:
    """A column of another table that has at most one row for each of ``model``, by its path."""

    model: type[Model]
    path: str

    @property
    def _relation(self) -> Any:
        return self.model._meta.get_field(self.path.partition("__")[0])

    def terms(self, terms: list[Term]) -> list[Term]:
        """Return the terms of an order by the column and the id as an index there has them."""
        here = f"{self._relation.name}__{self._relation.field.name}"
        return [terms[0], replace(terms[1], path=here)]

    def unknown(self, **bound: Any) -> Q:
        """Return the condition that there is no value.

        ``bound`` is from where on one is looked for: if both tables are put in one order the other
        would else be read from its beginning, wherever a page begins.
        """
        name, column = self._relation.field.name, self.path.partition("__")[2]
        of_row: dict[str, Any] = {name: OuterRef("pk"), f"{column}__isnull": False}
        of_row |= {f"{name}__{side}": value for side, value in bound.items()}
        return ~Q(Exists(self._relation.related_model._default_manager.filter(**of_row)))

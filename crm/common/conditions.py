"""Conditions taken apart: which columns they ask for, and the ids of the rows that pass them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP

from crm.common.plans import plan_of

_COMPARISONS = frozenset({"exact", "in", "gt", "gte", "lt", "lte"})


@dataclass(frozen=True)
class Ids:
    """The ids of rows of a model, as ``column`` of the rows of ``found`` has them; some twice."""

    found: QuerySet[Any, Any]
    column: str

    @property
    def values(self) -> QuerySet[Any, Any]:
        """Return the ids alone."""
        return self.found.values_list(self.column, flat=True)

    def beyond(self, side: str, value: Any) -> Ids:
        """Return those less (``lt``) or greater (``gt``) than ``value``."""
        return Ids(self.found.filter(**{f"{self.column}{LOOKUP_SEP}{side}": value}), self.column)

    def first_among(self, others: Ids, most: int, *, within: int) -> tuple[list[Any], bool]:
        """Return the first of these that are among ``others``, and whether there are no more.

        At most ``most`` of the first ``within``. The others are read once and looked up for each of
        these: a join would read either to its end.
        """
        walked, walked_params = self.values[:within].query.sql_with_params()
        asked, asked_params = others.values.order_by().query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM ({walked}) AS walked (id)"  # noqa: S608 -- both are Django's
                f" WHERE (id IN ({asked})) IS TRUE LIMIT %s",
                [*walked_params, *asked_params, most],
            )
            ids = [id_ for (id_,) in cursor.fetchall()]
        return ids, len(ids) < most and self._are_fewer_than(within)

    def _are_fewer_than(self, number: int) -> bool:
        """Say whether these are; no when by far more are expected, which takes no time."""
        return plan_of(self.values).rows < 2 * number and self.values[:number].count() < number

    def in_order(self, *, descending: bool) -> QuerySet[Any, Any]:
        """Return the ids by size."""
        return self.values.order_by(f"-{self.column}" if descending else self.column)


def ids_by_table(rows: QuerySet[Any, Any], conditions: Iterable[Q]) -> Iterator[Ids]:
    """Yield ids among which are those of ``rows`` that pass all ``conditions``.

    Of each table whose columns they ask for those that pass what they ask of it, read there alone.
    What is no comparison of a column in a plain ``and`` yields nothing.
    """
    others = {each.name: each for each in rows.model._meta.related_objects if each.one_to_one}
    asked: dict[str, list[tuple[str, Any]]] = {}
    for path, value in chain.from_iterable(_lookups(each) or () for each in conditions):
        if path == "pk__in" and isinstance(value, QuerySet):
            [column] = value.query.values_select
            yield Ids(value, column)
            continue
        name, _, there = path.partition(LOOKUP_SEP)
        if name in others and _compares(others[name].related_model, there, value):
            asked.setdefault(name, []).append((there, value))
        elif _compares(rows.model, path, value):
            asked.setdefault("", []).append((path, value))
    for name, lookups in asked.items():
        other = others.get(name)
        found = other.related_model._default_manager.all() if other else rows
        yield Ids(found.filter(Q(*lookups)), other.field.name if other else "pk")


def asks_only_for(condition: Q, path: str) -> bool:
    """Say whether all that ``condition`` asks for is the column at ``path``, in plain lookups."""
    asked = [asked for asked, _ in _lookups(condition) or ()]
    return bool(asked) and all(path in (each, each.rpartition(LOOKUP_SEP)[0]) for each in asked)


def without_relation(condition: Q, relation: str) -> Q:
    """Return a plain condition on columns of a related table as one on that table."""
    prefix = f"{relation}{LOOKUP_SEP}"
    return Q(*((path.removeprefix(prefix), value) for path, value in _lookups(condition) or ()))


def _compares(model: type[Model], path: str, value: Any) -> bool:
    """Say whether a column is compared with values: how many rows pass that is known.

    A row without one in another table passes none of these comparisons.
    """
    column, _, lookup = path.partition(LOOKUP_SEP)
    is_column = any(each.name == column for each in model._meta.concrete_fields)
    return is_column and (lookup or "exact") in _COMPARISONS and value is not None


def _lookups(condition: Q) -> list[tuple[str, Any]] | None:
    """Return what ``condition`` looks up; None when it is no plain ``and`` of lookups."""
    found: list[tuple[str, Any]] = []
    if condition.negated or (condition.connector != Q.AND and len(condition.children) > 1):
        return None
    for child in condition.children:
        inner = _lookups(child) if isinstance(child, Q) else None
        if isinstance(child, tuple):
            found.append(child)
        elif inner is None:
            return None
        else:
            found += inner
    return found

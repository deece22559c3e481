"""Keyset pages and honest counts: a page costs the same anywhere in a list of any length."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, Generic, TypeVar

from django.core import signing
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Model, OrderBy, Q, QuerySet

EXACT_UP_TO = 10_000
QUICK_COST = 5_000  # of the planner's units: 5 to 20 ms on the machines we measured, 2026-11
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows in the order asked for; the cursors are None at either end.

    ``is_restarted`` says that the cursor asked for was none of this order: these are the first.
    """

    items: list[M]
    next_cursor: str | None
    previous_cursor: str | None
    is_restarted: bool = False


@dataclass(frozen=True)
class Count:
    """How many rows match; above ``EXACT_UP_TO`` the planner's estimate."""

    value: int
    is_estimate: bool

    def __str__(self) -> str:
        """Return ``128`` or ``about 12,300``."""
        if not self.is_estimate:
            return f"{self.value:,}"
        digits = max(len(str(self.value)) - 3, 0)
        return f"about {round(self.value, -digits):,}"

    def __add__(self, other: Count) -> Count:
        """Return how many rows match either of two conditions that exclude each other."""
        return Count(self.value + other.value, self.is_estimate or other.is_estimate)


@dataclass(frozen=True)
class _Term:
    """One ordering column. A nullable one sorts its nulls last in either direction."""

    path: str
    descending: bool
    nullable: bool

    def expression(self, *, backwards: bool) -> OrderBy:
        """Return the order_by expression; nulls are spelt only where the index spells them."""
        descending = self.descending is not backwards
        nulls = {"nulls_first" if backwards else "nulls_last": True} if self.nullable else {}
        column = F(self.path)
        return column.desc(**nulls) if descending else column.asc(**nulls)

    def value_of(self, row: Any) -> Any:
        """Return the row's value in this column; a missing related row means None."""
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


def keyset_page(
    queryset: QuerySet[M], *, ordering: Sequence[str], cursor: str | None = None, size: int = 50
) -> Page[M]:
    """Return the page that starts after (or ends before) ``cursor``.

    Args:
        queryset: the rows, filtered but not ordered.
        ordering: order_by terms with a unique tail, all of columns without nulls; only the first
            may hold nulls, is then written with a question mark (``-score__engagement_score?``),
            and has its nulls at the end of the list.
        cursor: from an earlier page of the same order; any other text means the first page.
        size: rows a page.
    """
    return merged_page([queryset], ordering=ordering, cursor=cursor, size=size)


def merged_page(
    querysets: Sequence[QuerySet[M]],
    *,
    ordering: Sequence[str],
    cursor: str | None = None,
    size: int = 50,
) -> Page[M]:
    """Return ``keyset_page`` of all rows of ``querysets``, of which no row is in two.

    Each is read by the index that suits it: one condition that says ``or`` would use none.
    """
    terms = [_term(text) for text in ordering]
    mark = _read_cursor(cursor, terms)
    backwards = mark is not None and mark.backwards
    rows = [row for each in querysets for row in _rows(each, terms, mark, size + 1)]
    found = sorted(rows, key=_place(terms, backwards=backwards))[: size + 1]
    has_more, items = len(found) > size, found[:size]
    if backwards:
        items.reverse()
    has_next = bool(items) and (has_more or backwards)
    has_previous = bool(items) and (has_more if backwards else mark is not None)
    return Page(
        items=items,
        next_cursor=_write_cursor(items[-1], terms, backwards=False) if has_next else None,
        previous_cursor=_write_cursor(items[0], terms, backwards=True) if has_previous else None,
        is_restarted=bool(cursor) and mark is None,
    )


def ordered(queryset: QuerySet[M], ordering: Sequence[str]) -> QuerySet[M]:
    """Return all rows in the order that ``keyset_page`` cuts into pages."""
    return queryset.order_by(*(_term(text).expression(backwards=False) for text in ordering))


def merged(querysets: Sequence[QuerySet[M]], ordering: Sequence[str]) -> Iterator[M]:
    """Yield all rows in the order that ``merged_page`` cuts into pages."""
    key = _place([_term(text) for text in ordering], backwards=False)
    each_in_order = (ordered(each, ordering).iterator(chunk_size=1_000) for each in querysets)
    return heapq.merge(*each_in_order, key=key)


def place_of(row: M, *, ordering: Sequence[str]) -> str:
    """Return where ``row`` stands in the order of ``keyset_page``, for ``neighbours``; signed."""
    return _write_cursor(row, [_term(text) for text in ordering], backwards=False)


def neighbours(
    queryset: QuerySet[M], *, ordering: Sequence[str], row: M, place: str = ""
) -> tuple[M | None, M | None]:
    """Return the rows just before and just after ``row``, which need not be in ``queryset``.

    ``ordering`` is that of ``keyset_page``. ``place`` is where the row stood when somebody began to
    look at it: it stays there for them, whatever they do to it. Any other text counts for nothing.
    """
    terms = [_term(text) for text in ordering]
    mark = _read_cursor(place, terms)
    values = mark.values if mark else [term.value_of(row) for term in terms]
    before = _rows(queryset, terms, _Mark(backwards=True, values=values), 1)
    after = _rows(queryset, terms, _Mark(backwards=False, values=values), 1)
    return next(iter(before), None), next(iter(after), None)


def estimate_count(queryset: QuerySet[Any]) -> Count:
    """Return the exact count up to ``EXACT_UP_TO``, beyond it what the planner expects."""
    return _count(queryset, _plan(queryset))


def quick_count(queryset: QuerySet[Any]) -> Count | None:
    """Return ``estimate_count``, or None when that would hold up a page: ask for it afterwards.

    Whether it would is what the planner expects to pay for counting ``EXACT_UP_TO`` rows.
    """
    plan = _plan(queryset)
    share = min(1, EXACT_UP_TO / max(plan.rows, 1))
    price = plan.startup_cost + (plan.total_cost - plan.startup_cost) * share
    return _count(queryset, plan) if price <= QUICK_COST else None


def expected_rows(queryset: QuerySet[Any]) -> int:
    """Return how many rows the planner expects, without looking at any."""
    return _plan(queryset).rows


def _count(queryset: QuerySet[Any], plan: _Plan) -> Count:
    """Count up to the bound; how long a table is that is not filtered needs no proof."""
    if plan.rows > 2 * EXACT_UP_TO and not queryset.query.where:
        return Count(plan.rows, is_estimate=True)
    exact = queryset.order_by().values("pk")[: EXACT_UP_TO + 1].count()
    if exact <= EXACT_UP_TO:
        return Count(exact, is_estimate=False)
    return Count(max(plan.rows, exact), is_estimate=True)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the planner expects of a query: rows, and cost in its own units."""

    rows: int = 0
    startup_cost: float = 0
    total_cost: float = 0


def _plan(queryset: QuerySet[Any, Any]) -> _Plan:
    try:
        sql, params = queryset.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # Django knows that nothing can match, and has no SQL for it
        return _Plan()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    parsed = json.loads(plan) if isinstance(plan, str) else plan
    top = parsed[0]["Plan"]
    return _Plan(int(top["Plan Rows"]), top["Startup Cost"], top["Total Cost"])


@dataclass(frozen=True)
class _Mark:
    """The row a page starts after, or ends before."""

    backwards: bool
    values: list[Any]


def _place(terms: Sequence[_Term], *, backwards: bool) -> Callable[[Any], Any]:
    """Return a sort key for rows."""

    def compare(one: Any, other: Any) -> int:
        compared = (term.compare(one, other, backwards=backwards) for term in terms)
        return next(filter(None, compared), 0)

    return cmp_to_key(compare)


def _term(text: str) -> _Term:
    return _Term(text.strip("-?"), text.startswith("-"), text.endswith("?"))


def _rows(queryset: QuerySet[M], terms: list[_Term], mark: _Mark | None, limit: int) -> list[M]:
    """Return up to ``limit`` rows beyond the mark.

    Known and null values of the first column are asked for one after the other, so that each
    question is one range of one index.
    """
    backwards = mark is not None and mark.backwards
    rows: list[M] = []
    for part, part_terms, values in _parts(queryset, terms, mark):
        ordered = part.order_by(*(term.expression(backwards=backwards) for term in part_terms))
        if values is not None:
            ordered = ordered.filter(_beyond(part_terms, values, backwards=backwards))
        rows += ordered[: limit - len(rows)]
        if len(rows) == limit:
            break
    return rows


def _parts(
    queryset: QuerySet[M], terms: list[_Term], mark: _Mark | None
) -> list[tuple[QuerySet[M], list[_Term], list[Any] | None]]:
    """Return the pieces of the list still to read, in reading order, with where to start each."""
    values = mark.values if mark else None
    first, rest = terms[0], terms[1:]
    if not first.nullable:
        return [(queryset, terms, values)]
    known = queryset.filter(**{f"{first.path}__isnull": False})
    unknown = queryset.filter(**{f"{first.path}__isnull": True})
    if mark is None or values is None:
        return [(known, terms, None), (unknown, rest, None)]
    if values[0] is None:
        start = (unknown, rest, values[1:])
        return [start, (known, terms, None)] if mark.backwards else [start]
    here = (known, terms, values)
    return [here] if mark.backwards else [here, (unknown, rest, None)]


def _beyond(terms: list[_Term], values: list[Any], *, backwards: bool) -> Q:
    """Return the rows after the mark in lexicographic order.

    The outer bound on the first column repeats what follows from the rest: it is what the index can
    start at.
    """
    result = Q()
    for term, value in reversed(list(zip(terms, values, strict=True))):
        side = "lt" if term.descending is not backwards else "gt"
        beyond = Q(**{f"{term.path}__{side}": value})
        result = beyond | (Q(**{term.path: value}) & result) if result else beyond
    side = "lte" if terms[0].descending is not backwards else "gte"
    return Q(**{f"{terms[0].path}__{side}": values[0]}) & result


def _write_cursor(row: Any, terms: list[_Term], *, backwards: bool) -> str:
    values = [term.value_of(row) for term in terms]
    return signing.dumps([backwards, values], salt=_salt(terms), serializer=_Serializer)


def _read_cursor(cursor: str | None, terms: list[_Term]) -> _Mark | None:
    """Return the mark, or None when there is none or it was not written here for this order."""
    try:
        backwards, values = signing.loads(cursor or "", salt=_salt(terms), serializer=_Serializer)
    except signing.BadSignature:
        return None
    return _Mark(backwards, values)


def _salt(terms: list[_Term]) -> str:
    return f"keyset:{terms}"


class _Serializer(signing.JSONSerializer):
    """JSON that also writes instants and decimals, as text that the database reads back."""

    def dumps(self, obj: Any) -> bytes:
        """Return ``obj`` as compact bytes."""
        return json.dumps(obj, default=str, separators=(",", ":")).encode()

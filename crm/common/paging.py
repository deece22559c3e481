"""Keyset pages and honest counts: a page costs the same anywhere in a list of any length."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, QuerySet

from crm.common.orders import Term, read_term
from crm.common.plans import Plan, plan_of
from crm.common.stretches import Hint, stretches

EXACT_UP_TO = 10_000
QUICK_COST = 500  # of the planner's units: 1 to 5 ms on the machines we measured, 2026-11
_FEW = 1_000  # rows that are counted sooner than a person could notice
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


def keyset_page(
    queryset: QuerySet[M],
    *,
    ordering: Sequence[str],
    cursor: str | None = None,
    size: int = 50,
    hint: Hint[M] | None = None,
) -> Page[M]:
    """Return the page that starts after (or ends before) ``cursor``.

    Args:
        queryset: the rows, filtered but not ordered.
        ordering: order_by terms with a unique tail, all of columns without nulls; only the first
            may hold nulls or be missing with its row of another table: it is then written with a
            question mark (``-score__engagement_score?``), has its nulls at the end of the list, and
            is followed by the id alone.
        cursor: from an earlier page of the same order; any other text means the first page.
        size: rows a page.
        hint: where ``queryset`` has few of all rows: what helps to find its next ones, however far
            on they are. Without it the planner decides, who errs about small parts.
    """
    return merged_page([queryset], ordering=ordering, cursor=cursor, size=size, hint=hint)


def merged_page(
    querysets: Sequence[QuerySet[M]],
    *,
    ordering: Sequence[str],
    cursor: str | None = None,
    size: int = 50,
    hint: Hint[M] | None = None,
) -> Page[M]:
    """Return ``keyset_page`` of all rows of ``querysets``, of which no row is in two.

    Each is read by the index that suits it: one condition that says ``or`` would use none.
    """
    terms = [read_term(text) for text in ordering]
    mark = _read_cursor(cursor, terms)
    backwards = mark is not None and mark.backwards
    rows = [row for each in querysets for row in _rows(each, terms, mark, size + 1, hint)]
    if querysets[1:]:
        rows.sort(key=_place(terms, backwards=backwards))
    found = rows[: size + 1]
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
    return queryset.order_by(*(read_term(text).expression(backwards=False) for text in ordering))


def merged(querysets: Sequence[QuerySet[M]], ordering: Sequence[str]) -> Iterator[M]:
    """Yield all rows in the order that ``merged_page`` cuts into pages."""
    key = _place([read_term(text) for text in ordering], backwards=False)
    each_in_order = (ordered(each, ordering).iterator(chunk_size=1_000) for each in querysets)
    return heapq.merge(*each_in_order, key=key)


def place_of(row: M, *, ordering: Sequence[str]) -> str:
    """Return where ``row`` stands in the order of ``keyset_page``, for ``neighbours``; signed."""
    return _write_cursor(row, [read_term(text) for text in ordering], backwards=False)


def neighbours(
    queryset: QuerySet[M],
    *,
    ordering: Sequence[str],
    row: M,
    place: str = "",
    hint: Hint[M] | None = None,
) -> tuple[M | None, M | None]:
    """Return the rows just before and just after ``row``, which need not be in ``queryset``.

    ``ordering`` and ``hint`` are those of ``keyset_page``. ``place`` is where the row stood when
    somebody began to look at it: it stays there for them, whatever they do to it. Any other text
    counts for nothing.
    """
    terms = [read_term(text) for text in ordering]
    mark = _read_cursor(place, terms)
    values = mark.values if mark else [term.value_of(row) for term in terms]
    before = _rows(queryset, terms, _Mark(backwards=True, values=values), 1, hint)
    after = _rows(queryset, terms, _Mark(backwards=False, values=values), 1, hint)
    return next(iter(before), None), next(iter(after), None)


def estimate_count(queryset: QuerySet[Any]) -> Count:
    """Return the exact count up to ``EXACT_UP_TO``, beyond it what the planner expects."""
    return _count(queryset, plan_of(queryset))


def quick_count(queryset: QuerySet[Any], plan: Plan | None = None) -> Count | None:
    """Return ``estimate_count``, or None when that would hold up a page: ask for it afterwards.

    Whether it would is what the planner expects to pay for counting ``EXACT_UP_TO`` rows; ``plan``
    is that of ``queryset``, where it is known already.
    """
    plan = plan or plan_of(queryset)
    share = min(1, EXACT_UP_TO / max(plan.rows, 1))
    price = plan.startup_cost + (plan.total_cost - plan.startup_cost) * share
    return _count(queryset, plan) if price <= QUICK_COST else None


def count_at_once(queryset: QuerySet[Any]) -> Count:
    """Return ``quick_count``, and what the planner expects where nobody asks afterwards."""
    plan = plan_of(queryset)
    return quick_count(queryset, plan) or Count(plan.rows, is_estimate=True)


def rough_count(queryset: QuerySet[Any]) -> Count:
    """Return what the planner expects, and the exact count where that is few.

    For what is said beside something else: counting thousands takes longer than the page around it.
    """
    plan = plan_of(queryset)
    return Count(plan.rows, is_estimate=True) if plan.rows > _FEW else _count(queryset, plan)


def expected_rows(queryset: QuerySet[Any]) -> int:
    """Return how many rows the planner expects, without looking at any."""
    return plan_of(queryset).rows


def _count(queryset: QuerySet[Any], plan: Plan) -> Count:
    """Count up to the bound; how long a table or an index is as a whole needs no proof."""
    if plan.rows > 2 * EXACT_UP_TO and plan.is_whole:
        return Count(plan.rows, is_estimate=True)
    exact = queryset.order_by().values("pk")[: EXACT_UP_TO + 1].count()
    if exact <= EXACT_UP_TO:
        return Count(exact, is_estimate=False)
    return Count(max(plan.rows, exact), is_estimate=True)


@dataclass(frozen=True)
class _Mark:
    """The row a page starts after, or ends before."""

    backwards: bool
    values: list[Any]


def _place(terms: Sequence[Term], *, backwards: bool) -> Callable[[Any], Any]:
    """Return a sort key for rows."""

    def compare(one: Any, other: Any) -> int:
        compared = (term.compare(one, other, backwards=backwards) for term in terms)
        return next(filter(None, compared), 0)

    return cmp_to_key(compare)


def _rows(
    queryset: QuerySet[M],
    terms: list[Term],
    mark: _Mark | None,
    limit: int,
    hint: Hint[M] | None,
) -> list[M]:
    """Return up to ``limit`` rows beyond the mark."""
    values, backwards = (mark.values, mark.backwards) if mark else (None, False)
    rows: list[M] = []
    for stretch in stretches(queryset.model, terms, values, backwards=backwards):
        rows += stretch.first(queryset, limit - len(rows), hint)
        if len(rows) == limit:
            break
    return rows


def _write_cursor(row: Any, terms: list[Term], *, backwards: bool) -> str:
    values = [term.value_of(row) for term in terms]
    return _signer(terms).sign_object([backwards, values], serializer=_Serializer)


def _read_cursor(cursor: str | None, terms: list[Term]) -> _Mark | None:
    """Return the mark, or None when there is none or it was not written here for this order."""
    try:
        backwards, values = _signer(terms).unsign_object(cursor or "", serializer=_Serializer)
    except signing.BadSignature:
        return None
    return _Mark(backwards, values)


def _signer(terms: list[Term]) -> signing.Signer:
    """Return what signs cursors of an order: without the time, for one place has one cursor."""
    return signing.Signer(salt=f"keyset:{terms}")


class _Serializer(signing.JSONSerializer):
    """JSON that also writes instants and decimals, as text that the database reads back."""

    def dumps(self, obj: Any) -> bytes:
        """Return ``obj`` as compact bytes."""
        return json.dumps(obj, default=str, separators=(",", ":")).encode()

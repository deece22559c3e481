"""What PostgreSQL expects of a query before it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

#: Fewer rows are looked up and sorted anyway, and among more a page is soon found in its order:
#: measured with a million leads, 2026-11.
FEW, _MANY = 500, 20_000
_SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the planner expects of a query: rows, and cost in its own units.

    ``is_guess`` says that the rows are neither few nor many, and their number a guess: by a part of
    a word, or by conditions of which several tables or no index know how often they hold together.
    ``is_whole`` says that they are all rows of a table or of an index: how long that is is known.
    """

    rows: int = 0
    startup_cost: float = 0
    total_cost: float = 0
    is_guess: bool = False
    is_whole: bool = False


def is_straight(queryset: QuerySet[Any, Any]) -> bool:
    """Say whether the next rows are read from one index that has their order and conditions."""
    nodes = list(_nodes(_explained(queryset)))
    return _is_known(nodes) and not any("Sort" in node["Node Type"] for node in nodes)


def plan_of(queryset: QuerySet[Any, Any]) -> Plan:
    """Return what is expected of all rows of ``queryset``, in any order.

    Of models their keys are asked for, as a count does; of values those.
    """
    asked = queryset.order_by()
    if not asked.query.values_select:
        asked = asked.values("pk")
    try:
        top = _explained(asked)
    except EmptyResultSet:  # Django knows that nothing can match, and has no SQL for it
        return Plan()
    rows = int(top["Plan Rows"])
    nodes = list(_nodes(top))
    is_guess = FEW < rows <= _MANY and not _is_known(nodes)
    is_whole = _is_known(nodes) and not any("Index Cond" in node for node in nodes)
    return Plan(rows, top["Startup Cost"], top["Total Cost"], is_guess, is_whole)


def _explained(queryset: QuerySet[Any, Any]) -> Mapping[str, Any]:
    """Return the topmost node of the plan.

    Raises:
        EmptyResultSet: when Django knows that nothing can match.
    """
    sql, params = queryset.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [told] = cursor.fetchone()
    [parsed] = json.loads(told) if isinstance(told, str) else told
    top: Mapping[str, Any] = parsed["Plan"]
    return top


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _is_known(nodes: list[Mapping[str, Any]]) -> bool:
    """Say whether one table is read, by conditions that an index holds."""
    scans = [node for node in nodes if node["Node Type"] in _SCANS]
    return len(scans) == 1 and not any(
        "Filter" in node or "~~" in node.get("Index Cond", "") for node in nodes
    )

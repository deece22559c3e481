"""The different values of a column, read from an index without its rows."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

_MOST = 200


def present_values(rows: QuerySet[Any, Any], column: str) -> list[str]:
    """Return the different texts of ``column`` in order, at most 200, without the empty one.

    An index begins with it, under the condition of ``rows``: each step goes to the next value that
    differs from the last.
    """
    first, first_params = _next(rows, column, "")
    further, further_params = _next(rows, column, RawSQL("present.code", ()))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE present (code) AS (({first}) UNION ALL"  # noqa: S608 -- Django's
            f" SELECT ({further}) FROM present WHERE code IS NOT NULL)"
            " SELECT code FROM present WHERE code IS NOT NULL LIMIT %s",
            [*first_params, *further_params, _MOST],
        )
        return [code for (code,) in cursor.fetchall()]


def _next(rows: QuerySet[Any, Any], column: str, last: Any) -> tuple[str, tuple[Any, ...]]:
    following = rows.filter(**{f"{column}__gt": last}).order_by(column)
    return following.values(column)[:1].query.sql_with_params()

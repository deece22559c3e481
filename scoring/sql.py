"""Composing and running large queries out of named tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from psycopg import Cursor
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

#: Tables of a WITH clause in order: name, query.
Tables = list[tuple[str, Composable]]

#: Ends a query whose columns are long expressions read many times by the query around it: without
#: it, the planner puts the whole expression in every place that names the column.
FENCE = SQL("OFFSET 0")

#: Where ``lead_id`` did not turn out to be another. As no list shows such leads, no figure over all
#: leads counts them: what they did is the other's, so they would pass for people who did nothing.
NOT_MERGED = SQL(
    "NOT EXISTS (SELECT FROM leads_lead merged"
    " WHERE merged.id = lead_id AND merged.merged_into_id IS NOT NULL)"
)

_PLACEHOLDER = re.compile(r"%([s%])")


def commas(parts: Iterable[Composable]) -> Composed:
    """Return the parts with commas between them."""
    return SQL(", ").join(parts)


def column(letter: str, number: int, of: str = "") -> Identifier:
    """Return a numbered column such as ``m3``, or ``amount.p3`` with ``of``."""
    return Identifier(of, f"{letter}{number}") if of else Identifier(f"{letter}{number}")


def with_tables(tables: Tables, body: Composable, *, keep: Collection[str] = ()) -> Composed:
    """Return ``body`` with named tables before it.

    The tables named in ``keep`` are computed once and kept, which pays for few rows; the others
    melt into what reads them.
    """
    named = (
        SQL("{} AS {} ({})").format(
            Identifier(name), SQL("MATERIALIZED" if name in keep else "NOT MATERIALIZED"), table
        )
        for name, table in tables
    )
    return SQL("WITH {} {}").format(SQL(",\n").join(named), body) if tables else Composed([body])


def of_queryset(queryset: QuerySet[Any, Any]) -> Composed:
    """Return the SQL of a queryset, to stand inside a larger query."""
    text, params = queryset.query.sql_with_params()
    values = iter(params)
    pieces: list[Composable] = []
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        pieces.append(SQL(text[end : found.start()]))
        pieces.append(Literal(next(values)) if found[1] == "s" else SQL("%"))
        end = found.end()
    return Composed([*pieces, SQL(text[end:])])


def rendered(query: Composable) -> SQL:
    """Return a query as plain text, for those who keep it: composing costs more than running."""
    connection.ensure_connection()
    return SQL(query.as_string(connection.connection))


def rows(query: Composable) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def many_rows(query: Composable) -> list[tuple[Any, ...]]:
    """Run a query and return its rows, told in binary: moments and arrays are read much faster.

    What Django keeps as text, JSON, is told as objects.
    """
    connection.ensure_connection()
    bound_by_server: Any = Cursor(connection.connection)  # others tell nothing in binary
    with connection.wrap_database_errors, bound_by_server as cursor:
        found: list[tuple[Any, ...]] = cursor.execute(query, binary=True).fetchall()
    return found


def record(query: Composable) -> dict[str, Any]:
    """Run a query that finds one row and return it by column."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description]
        [found] = cursor.fetchall()
    return dict(zip(names, found, strict=True))

"""Queries that are planned once a connection.

Planning a query over the partitions of the log takes ten times as long as reading from it what one
lead did (measured with eleven partitions), and ever longer as months go by.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connection, models
from psycopg import RawCursor
from psycopg.sql import SQL, Identifier

M = TypeVar("M", bound=models.Model)


def prepared(query: SQL, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    """Run a query with ``$1`` and so on; return its rows by column.

    Args:
        query: The same text each time: the plan is found by it.
        parameters: What stands for ``$1`` and so on.
    """
    names, rows = _run(query, parameters)
    return [dict(zip(names, row, strict=True)) for row in rows]


def prepared_models(model: type[M], query: SQL, parameters: Sequence[Any]) -> list[M]:
    """Run a query for the columns of ``model`` in their order, see ``columns_of``; return its rows.

    What the database hands over is read as the fields of the model read it.
    """
    fields = model._meta.concrete_fields
    readers = [field.get_db_converters(connection) for field in fields]
    names = [field.attname for field in fields]
    _, rows = _run(query, parameters)
    for place, converters in enumerate(readers):
        for convert in converters:
            for row in rows:
                row[place] = convert(row[place], None, connection)
    return [model.from_db(connection.alias, names, row) for row in rows]


def columns_of(model: type[models.Model]) -> SQL:
    """Return the columns of ``model`` as a query for ``prepared_models`` selects them."""
    columns = [Identifier(str(field.column)) for field in model._meta.concrete_fields]
    return SQL(SQL(", ").join(columns).as_string(None))


def _run(query: SQL, parameters: Sequence[Any]) -> tuple[list[str], list[list[Any]]]:
    connection.ensure_connection()
    bound_by_server: Any = RawCursor(connection.connection)
    counted = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with counted(bound_by_server) as cursor:
        cursor.execute(query.as_string(None), parameters)
        return [column.name for column in cursor.description], list(map(list, cursor.fetchall()))

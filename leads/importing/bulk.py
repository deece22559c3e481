"""Writing many rows at once, in one statement each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql

#: Tables that have grown to twice of what the planner knows, or whose rows have mostly changed.
_OUTGROWN = """
    SELECT class.oid::regclass::text FROM pg_class AS class
    LEFT JOIN pg_stat_all_tables AS stat ON stat.relid = class.oid
    WHERE class.oid = ANY(%s::regclass[]) AND (
        pg_relation_size(class.oid)
            > greatest(2 * relpages * current_setting('block_size')::bigint, 2 ^ 20)
        OR stat.n_mod_since_analyze > greatest(class.reltuples, 1000))"""


def refresh_statistics(*tables: type[models.Model]) -> None:
    """Have the planner look again at those of ``tables`` that are others than it knows.

    A long import outgrows what autovacuum knows; plans for empty tables read them whole for each
    row that a deferred constraint checks. A table that was emptied and filled again may have its
    old size, and other rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OUTGROWN, [[table._meta.db_table for table in tables]])
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Return ``count`` new ids of ``model``, so that rows can name each other before they exist."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def copy_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Add ``rows`` of ``columns`` (database names) and return how many; JSON comes as text.

    COPY, and without objects: several times as fast as ``bulk_create``.

    Raises:
        IntegrityError: a row breaks a constraint; Django's, as from every other statement.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    table = sql.Identifier(model._meta.db_table)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)
    count = 0
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def update_rows(objects: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write the fields ``names`` of ``objects``, which are all of one model.

    A join: ``bulk_update`` compares each row with every object, which takes the square of the time.
    """
    if not objects:
        return
    model = type(objects[0])
    by_name = {field.name: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in ("id", *names)]
    columns = [sql.Identifier(str(field.column)) for field in fields]
    types = [sql.SQL(f"{field.db_type(connection)}[]") for field in fields]
    statement = sql.SQL(
        "UPDATE {table} AS row SET {changes} FROM unnest({values}) AS said ({columns})"
        " WHERE row.id = said.id"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        changes=sql.SQL(", ").join(
            sql.SQL("{0} = said.{0}").format(column) for column in columns[1:]
        ),
        values=sql.SQL(", ").join(sql.SQL("%s::{}").format(each) for each in types),
        columns=sql.SQL(", ").join(columns),
    )
    values = [
        [field.get_db_prep_save(getattr(each, field.attname), connection) for each in objects]
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)

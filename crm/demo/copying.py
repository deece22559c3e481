"""Writing many rows at once: model instances through COPY, with ids taken beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

Reader = Callable[[Any], Any]


def reserve_ids(model: type[models.Model], count: int) -> range:
    """Take ``count`` consecutive ids of ``model`` from its sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(ids, nextval(ids) + %s - 1)"
            " FROM pg_get_serial_sequence(%s, 'id') AS ids",
            [count, model._meta.db_table],
        )
        (last,) = cursor.fetchone() or (0,)
    return range(last - count + 1, last + 1)


def endless_ids(model: type[models.Model]) -> Iterator[int]:
    """Give ids one by one; those that are not used are lost, as with any sequence."""
    while True:
        yield from reserve_ids(model, 200)


def number(instances: Sequence[models.Model]) -> None:
    """Give new instances of one model their ids."""
    if instances:
        ids = reserve_ids(type(instances[0]), len(instances))
        for instance, pk in zip(instances, ids, strict=True):
            instance.pk = pk


def copy_in(instances: Sequence[models.Model]) -> None:
    """Write instances of one model; those without an id get the next one."""
    if not instances:
        return
    model = type(instances[0])
    if instances[0].pk is None:
        number(instances)
    columns, readers = _columns(model)
    copy_rows(
        model._meta.db_table,
        columns,
        ([read(instance) for read in readers] for instance in instances),
    )
    for instance in instances:
        instance._state.adding = False


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows of values in the order of ``columns``."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


@cache
def _columns(model: type[models.Model]) -> tuple[list[str], list[Reader]]:
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    return [str(field.column) for field in fields], [_reader(field) for field in fields]


def _reader(field: models.Field[Any, Any]) -> Reader:
    name = field.attname
    if isinstance(field, models.JSONField):
        return lambda instance: json.dumps(getattr(instance, name))
    if field.has_db_default():
        return lambda instance: _given(getattr(instance, name), field.db_default)
    return lambda instance: getattr(instance, name)


def _given(value: object, default: object) -> object:
    """Return ``value``; COPY names every column, so the database's default is written out."""
    return default if isinstance(value, DatabaseDefault) else value

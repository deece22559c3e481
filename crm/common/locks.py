"""Letting one transaction at a time decide what no row can be locked for yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from django.db.models import Model
from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable


def is_in_the_way(error: BaseException) -> bool:
    """Say whether the database took work back because somebody else was at the same rows."""
    causes = (DeadlockDetected, LockNotAvailable)
    return isinstance(error, OperationalError) and isinstance(error.__cause__, causes)


def lock_writes(model: type[Model]) -> None:
    """Let nobody else write rows of ``model`` until the transaction ends; reading goes on.

    Rows of other tables that refer to it are written meanwhile. For small tables that people write,
    where a row depends on all others: the next version, a free position.
    """
    _lock(model, "SHARE ROW EXCLUSIVE")


def keep_from_writing(model: type[Model]) -> None:
    """Wait for who is about to write ``model``, and let nobody begin until the transaction ends.

    Many may at once; the others say ``begin_to_write``, before anything else is locked.
    """
    _lock(model, "SHARE")


def begin_to_write(model: type[Model]) -> None:
    """Wait for those who keep others from writing ``model``; many may write beside each other."""
    _lock(model, "ROW EXCLUSIVE")


def _lock(model: type[Model], mode: str) -> None:
    with connection.cursor() as cursor:
        table = sql.Identifier(model._meta.db_table)
        cursor.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(table, sql.SQL(mode)))


def hold(name: str) -> None:
    """Wait for others in work on what ``name`` stands for, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def try_hold(name: str) -> bool:
    """Hold ``name`` as ``hold`` does unless somebody else does; say whether it is held now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        [is_held] = cursor.fetchone() or (False,)
    return bool(is_held)


def share(name: str) -> None:
    """Wait for who holds ``name``, and let nobody hold it until the transaction ends; many may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [name])


def hold_all(names: Iterable[str]) -> None:
    """Hold each of ``names`` as ``hold`` does, in one statement and one order for everybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) name",
            [sorted(set(names))],
        )


@contextmanager
def alone(number: int) -> Iterator[bool]:
    """Hold the lock ``number`` over many transactions; say whether it is held, or somebody else's.

    For long work that one process does at a time. The lock ends with the connection, so a killed
    worker keeps nobody out.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        [is_alone] = cursor.fetchone() or (False,)
    try:
        yield bool(is_alone)
    finally:
        if is_alone and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])

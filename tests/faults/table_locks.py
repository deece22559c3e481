"""Tables that are locked while a test runs, and who waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections


@contextmanager
def locked(table: str, mode: str) -> Iterator[None]:
    """Hold a lock of ``table`` while the block runs: ``SHARE`` keeps out writers."""
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN {mode} MODE")
            yield
        other.rollback()
    finally:
        other.close()


def somebody_waits(table: str) -> bool:
    """Say whether anybody waits for a lock of ``table``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND NOT granted AND relation = %s::regclass",
            [table],
        )
        return cursor.fetchone() is not None

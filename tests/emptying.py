"""An empty database after every test with real transactions.

Django truncates every table, which makes hundreds of files anew for the few rows a test wrote.
"""

from __future__ import annotations

from functools import cache

from django.db import connection, transaction

from tests.processes import wait_for

KEPT = {"django_content_type", "auth_permission"}  # Django fills them itself, after each flush
CACHE = "common_cache"  # made by a migration, of no model


def empty_database(_test_case: object = None) -> None:
    """Delete all rows, those of the cache too; in place of the flush of ``TransactionTestCase``.

    Waits for whoever is in a transaction: locks would stop them half-way, and so each other.
    """
    wait_for(lambda: not others_at_work())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no guards, no keys
        filled = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables())
        cursor.execute(" UNION ALL ".join(filled))
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")


def may_pass_by_guards() -> bool:
    """Say whether our role may empty the database so: a superuser, as in servers of our own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
        return bool(cursor.fetchone() == (True,))


def others_at_work() -> bool:
    """Say whether another connection to the test database is in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
        )
        return cursor.fetchone() is not None


@cache
def tables() -> tuple[str, ...]:
    """Return the tables to empty; those of partitions are emptied with their parent's."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return tuple(sorted({*names, CACHE} - KEPT))

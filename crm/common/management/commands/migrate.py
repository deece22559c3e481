"""``manage.py migrate``: as Django's, but without haste, and with statistics of what is new."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

#: Django makes fifteen thousand classes of models on the way through all migrations of a new
#: database. Looking among them for cycles as often as Python does by itself is a quarter of the
#: time (41 s and 31 s of one processor); this seldom, 120 MB of them are kept meanwhile.
_SELDOM = (1_000_000, 3, 3)


class Command(migrate.Command):
    """Lifts the limit of a page's statements: an index on millions of rows takes minutes.

    The limit on waiting for a lock stays, so that a migration that must wait fails instead of
    keeping everybody else waiting behind it.

    Afterwards the database looks at what its tables hold. Of a column that a migration adds nothing
    is known otherwise until many rows change, and queries are planned by guess: computing due
    scores was seen to take a third longer.
    """

    def handle(self, *args: Any, database: str, **options: Any) -> None:
        """Migrate without the limit, and put it back."""
        connection = connections[database]
        recorder = MigrationRecorder(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        try:
            before = recorder.applied_migrations().keys()
            with _cycles_sought_seldom():
                super().handle(*args, database=database, **options)
            if before and recorder.applied_migrations().keys() - before:
                with connection.cursor() as cursor:
                    cursor.execute("ANALYZE (SKIP_LOCKED)")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")


@contextmanager
def _cycles_sought_seldom() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)

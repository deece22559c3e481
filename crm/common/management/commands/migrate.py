"""``manage.py migrate``: as Django's, but without haste, and with statistics of what is new."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

#: Django makes four thousand classes of models on the way through all migrations of a new
#: database. Looking among them for cycles as often as Python does by itself is a quarter of the
#: time (8.5 s and 6.5 s of one processor); this seldom, 120 MB of them are kept meanwhile.
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
        """Migrate without the limit, and put it back.

        Raises CommandError where a database has some of the migrations that one now stands for.
        """
        connection = connections[database]
        recorder = MigrationRecorder(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        try:
            before = recorder.applied_migrations().keys()
            _refuse_half_way(before)
            with _cycles_sought_seldom():
                super().handle(*args, database=database, **options)
            if before and recorder.applied_migrations().keys() - before:
                with connection.cursor() as cursor:
                    cursor.execute("ANALYZE (SKIP_LOCKED)")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")


def _refuse_half_way(applied: Collection[tuple[str, str]]) -> None:
    """Say what to do with a database from amid migrations that were gathered into one since.

    Django would speak of conflicts and advise to merge, or fail over a model that it cannot find.
    """
    for migration in MigrationLoader(None).disk_migrations.values():
        missing = [name for name in migration.replaces if name not in applied]
        if missing and len(missing) < len(migration.replaces):
            app, name = missing[0]
            raise CommandError(
                f"This database was never brought up to {app}.{name}, for which {migration} stands"
                " now. Nothing was changed. Migrate it with the revision of Baton that"
                " docs/upgrading.md names first, then with this one."
            )


@contextmanager
def _cycles_sought_seldom() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)

"""``manage.py migrate``: as Django's, but a statement may take as long as it needs."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    """Lifts the limit of a page's statements: an index on millions of rows takes minutes.

    The limit on waiting for a lock stays, so that a migration that must wait fails instead of
    keeping everybody else waiting behind it.
    """

    def handle(self, *args: Any, database: str, **options: Any) -> None:
        """Migrate without the limit, and put it back."""
        connection = connections[database]
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        try:
            super().handle(*args, database=database, **options)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import pre_migrate

pytestmark = pytest.mark.django_db


def limit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        (shown,) = cursor.fetchone() or ("",)
    return str(shown)


def test_a_migration_may_take_longer_than_a_page() -> None:
    seen: list[str] = []

    def look(**_: Any) -> None:
        seen.append(limit())

    pre_migrate.connect(look)
    try:
        call_command("migrate", verbosity=0)
    finally:
        pre_migrate.disconnect(look)

    assert set(seen) == {"0"}
    assert limit() == "30s"


def test_after_migrations_the_database_knows_what_its_tables_hold() -> None:
    [latest] = MigrationLoader(connection).graph.leaf_nodes("reports")
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*latest)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changed AS SELECT 1 AS added")

        call_command("migrate", fake=True, verbosity=0)

        assert latest in recorder.applied_migrations()
        cursor.execute("SELECT attname FROM pg_stats WHERE tablename = 'changed'")
        assert cursor.fetchall() == [("added",)]

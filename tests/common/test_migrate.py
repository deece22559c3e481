from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
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


def test_a_database_from_amid_gathered_migrations_is_told_what_to_do() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("leads", "0023_duplicates_by_company")
    before = recorder.applied_migrations().keys()

    with pytest.raises(CommandError, match=r"leads\.0023_duplicates_by_company"):
        call_command("migrate", verbosity=0)

    assert recorder.applied_migrations().keys() == before


@pytest.mark.parametrize("app", [config.label for config in apps.get_app_configs()])
def test_what_an_app_had_last_is_asked_of_every_older_database(app: str) -> None:
    """Its first migration stands for its last one: whoever lacks that has not all of the first."""
    gathered = {
        name: migration.name
        for migration in MigrationLoader(None).disk_migrations.values()
        for of, name in migration.replaces
        if of == app
    }

    assert gathered == {} or gathered[max(gathered)] == "0001_tables"


def test_a_database_with_all_gathered_migrations_is_up_to_date() -> None:
    recorder = MigrationRecorder(connection)
    loader = MigrationLoader(None)
    for (app, name), migration in loader.disk_migrations.items():
        if migration.replaces:
            recorder.record_unapplied(app, name)

    call_command("migrate", verbosity=0)

    assert set(loader.disk_migrations) <= recorder.applied_migrations().keys()

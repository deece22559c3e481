from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
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

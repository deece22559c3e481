"""What the planner is told during a long import."""

from __future__ import annotations

import pytest
from django.db import connection

from leads.importing.bulk import refresh_statistics
from leads.models import Company
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_the_planner_is_told_when_a_table_has_doubled() -> None:
    def told() -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'leads_company'")
            return float(cursor.fetchone()[0])

    def add(name: str, count: int) -> None:
        Company.objects.bulk_create(
            Company(name=f"{name} {n}", website="x" * 400, created_at=NOW) for n in range(count)
        )

    add("Kesterwald", 4000)
    refresh_statistics(Company)
    assert told() == 4000
    add("Brail", 1000)
    refresh_statistics(Company)
    assert told() == 4000
    add("Caron", 4000)
    refresh_statistics(Company)
    assert told() == 9000

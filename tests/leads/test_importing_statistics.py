"""What the planner is told during a long import."""

from __future__ import annotations

import pytest
from django.db import connection

from leads.importing.bulk import refresh_statistics
from leads.models import Company
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def told() -> float:
    """Return how many companies the planner believes there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'leads_company'")
        return float(cursor.fetchone()[0])


def add(name: str, count: int) -> None:
    Company.objects.bulk_create(
        Company(name=f"{name} {n}", website="x" * 400, created_at=NOW) for n in range(count)
    )


def test_the_planner_is_told_when_a_table_has_doubled() -> None:
    add("Kesterwald", 4000)
    refresh_statistics(Company)
    assert told() == 4000
    add("Brail", 1000)
    refresh_statistics(Company)
    assert told() == 4000
    add("Caron", 4000)
    refresh_statistics(Company)
    assert told() == 9000


@pytest.mark.django_db(transaction=True)
def test_the_planner_is_told_when_most_rows_of_a_table_are_others() -> None:
    add("Kesterwald", 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_company")
    assert told() == 3000
    Company.objects.filter(pk__in=Company.objects.order_by("pk")[:2000]).delete()
    add("Brail", 1100)
    with connection.cursor() as cursor:  # what a session did is told to others after a second
        cursor.execute("SELECT pg_stat_force_next_flush()")

    refresh_statistics(Company)
    assert told() == 2100

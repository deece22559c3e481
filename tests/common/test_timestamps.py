"""How the ORM reads times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection
from psycopg.pq import Format

from crm.common.timestamps import IsoLoader

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("2026-11-20 17:30:00+00", datetime(2026, 11, 20, 17, 30, tzinfo=UTC)),
        ("2026-11-20 17:30:00.5+00", datetime(2026, 11, 20, 17, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-11-20 17:30:00.000001+00", datetime(2026, 11, 20, 17, 30, 0, 1, tzinfo=UTC)),
        ("2026-10-25 02:30:00+02", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("0001-01-01 00:00:00+00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_times_are_aware_and_in_utc(told: str, read: datetime) -> None:
    [moment] = ask(told)
    assert (moment, moment.tzinfo) == (read, UTC)


@pytest.mark.parametrize("told", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC"])
def test_what_python_cannot_tell_is_an_error_of_the_data(told: str) -> None:
    with pytest.raises(DataError):
        ask(told)


def test_every_connection_of_the_orm_reads_times_so() -> None:
    other = connection.copy()
    other.ensure_connection()
    try:
        adapters = other.connection.adapters
        found = adapters.get_loader(adapters.types["timestamptz"].oid, Format.TEXT)
    finally:
        other.close()
    assert found is IsoLoader


def ask(told: str) -> tuple[datetime]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [told])
        found: tuple[datetime] = cursor.fetchone()
        return found

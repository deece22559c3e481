"""The monthly partitions of the event log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

PARENT = sql.Identifier("engagement_event")
REST = sql.Identifier("engagement_event_default")
#: One creator at a time, whichever process it runs in; any number that no other lock here uses.
_ADVISORY_LOCK = 7_214_001


def month_of(moment: datetime) -> date:
    """Return the first day of the UTC month that holds ``moment``."""
    return moment.astimezone(UTC).date().replace(day=1)


def keep_partitions(*, now: datetime, months_ahead: int = 3) -> int:
    """Make the partitions of this month and the next ``months_ahead``; return how many were new.

    Months that landed in the default partition get one of their own, with their events.
    """
    months = [_months_after(month_of(now), ahead) for ahead in range(months_ahead + 1)]
    return ensure_partitions([*months, *_stray_months()])


def ensure_partitions(months: Iterable[date]) -> int:
    """Make the partitions of ``months`` that are missing and return how many that were.

    Attaching locks only the default partition against readers; inserts elsewhere go on.
    """
    wanted = {month.replace(day=1) for month in months}
    if not _missing(wanted):
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        missing = _missing(wanted)
        for month in missing:
            _make_partition(cursor, month)
    return len(missing)


def _missing(wanted: set[date]) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'engagement_event'::regclass"
        )
        present = {name for (name,) in cursor.fetchall()}
    return sorted(month for month in wanted if _name(month) not in present)


def _stray_months() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date"
            " FROM engagement_event_default"
        )
        return [month for (month,) in cursor.fetchall()]


def _make_partition(cursor: CursorWrapper, month: date) -> None:
    start, end = (
        datetime(day.year, day.month, 1, tzinfo=UTC) for day in (month, _months_after(month, 1))
    )
    names = {
        "parent": PARENT, "rest": REST, "name": sql.Identifier(_name(month)),
        "start": sql.Literal(start.isoformat()), "end": sql.Literal(end.isoformat()),
    }  # fmt: skip
    cursor.execute(sql.SQL("CREATE TABLE {name} (LIKE {parent} INCLUDING ALL)").format(**names))
    attach = sql.SQL(
        "ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})"
    ).format(**names)
    inside = sql.SQL("occurred_at >= {start} AND occurred_at < {end}").format(**names)
    cursor.execute(
        sql.SQL("SELECT EXISTS (SELECT FROM {rest} WHERE {inside})").format(inside=inside, **names)
    )
    if cursor.fetchone() == (True,):
        attach = _moving_out_of_default(attach, inside, names)
    cursor.execute(attach)


def _moving_out_of_default(
    attach: sql.Composed, inside: sql.Composed, names: dict[str, sql.Composable]
) -> sql.Composed:
    """Return ``attach`` with the month's events moved; detached, the default may lose rows."""
    return sql.SQL(
        "ALTER TABLE {parent} DETACH PARTITION {rest};"
        "INSERT INTO {name} SELECT * FROM {rest} WHERE {inside};"
        "DELETE FROM {rest} WHERE {inside};"
        "{attach};"
        "ALTER TABLE {parent} ATTACH PARTITION {rest} DEFAULT"
    ).format(attach=attach, inside=inside, **names)


def _name(month: date) -> str:
    return f"engagement_event_{month:%Y_%m}"


def _months_after(month: date, count: int) -> date:
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)

"""The monthly partitions of the event log, as the database lists them."""

from __future__ import annotations

from django.db import connection


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'engagement_event'::regclass ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]

"""The one clock that all workers share."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """Return the time by the database's clock, whatever that of this machine says.

    For what has consequences when it comes too early: one wrong clock among many workers would
    record breaches that never were.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchall()[0][0]
    return now

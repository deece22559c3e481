"""Health is work done: each loop leaves a heartbeat after each successful round."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

#: Nobody waits for the disk when this is all that a transaction does: a crash may take back the
#: last second of what is told here.
BEAT = """
    INSERT INTO common_heartbeat AS kept (loop, succeeded_at, backlog, oldest_due_at)
    SELECT %s, %s, %s, %s
    WHERE set_config('synchronous_commit', coalesce(%s, current_setting('synchronous_commit')),
        true) <> ''
    ON CONFLICT (loop) DO UPDATE
    SET succeeded_at = excluded.succeeded_at, backlog = excluded.backlog,
        oldest_due_at = excluded.oldest_due_at
    WHERE kept.succeeded_at <= excluded.succeeded_at
"""


def beat(loop: str, now: datetime, backlog: int = 0, oldest_due_at: datetime | None = None) -> None:
    """Record that ``loop`` finished a round that began at ``now``, unless a later one has.

    Args:
        loop: name of the service that works, such as ``enforce_deadlines``.
        now: when the round began.
        backlog: due rows that are left.
        oldest_due_at: when the oldest of them fell due; None when nothing is left.
    """
    commit = None if connection.in_atomic_block else "off"
    with connection.cursor() as cursor:
        cursor.execute(BEAT, [loop, now, backlog, oldest_due_at, commit])

"""Races on real connections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connection

from tests.processes import wait_for

T = TypeVar("T")


def in_thread(pool: ThreadPoolExecutor, act: Callable[[], T]) -> Future[T]:
    """Run ``act`` in another thread, on a database connection of its own that is given back.

    It waits for locks longer than a page would: a busy machine may stand still for that long.
    """

    def run() -> T:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '60s'")
            return act()
        finally:
            connection.close()

    return pool.submit(run)


def waiting_for_a_lock() -> int:
    """Return how many connections to this database wait for another one."""
    with connection.cursor() as cursor:
        # Within a transaction the list stays as it was first read, without those who came since.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        (count,) = cursor.fetchone() or (0,)
    return int(count)


def somebody_waits_for_a_lock() -> bool:
    """Say whether any connection to this database waits for another one."""
    return waiting_for_a_lock() > 0


def wait_until_blocked(thread: Future[Any], *, beside: int = 0) -> None:
    """Return when a connection waits for a lock, or when ``thread`` has gone through without.

    Args:
        beside: how many others wait for one anyway.
    """
    wait_for(lambda: thread.done() or waiting_for_a_lock() > beside)


def side_by_side(*acts: Callable[[], object]) -> list[object]:
    """Run ``acts`` at the same time; return what each returned or raised, in order."""
    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [in_thread(pool, act) for act in acts]
        return [_outcome(future) for future in futures]


def _outcome(future: Future[object]) -> object:
    try:
        return future.result(timeout=60)
    except Exception as error:  # noqa: BLE001 -- it is the outcome
        return error

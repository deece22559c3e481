"""Races on real connections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def in_thread(pool: ThreadPoolExecutor, act: Callable[[], T]) -> Future[T]:
    """Run ``act`` in another thread, on a database connection of its own that is given back."""

    def run() -> T:
        try:
            return act()
        finally:
            connection.close()

    return pool.submit(run)


def somebody_waits_for_a_lock() -> bool:
    """Say whether any connection to this database waits for another one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        (waits,) = cursor.fetchone() or (False,)
    return bool(waits)


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

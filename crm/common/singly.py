"""Doing rows one by one after doing them at once failed, so that only the faulty one waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import OperationalError, connection

T = TypeVar("T")


def do_singly(
    rows: Iterable[T], do: Callable[[T], object], *, give_up: Callable[[T, Exception], object]
) -> None:
    """Call ``do`` for each row, and ``give_up`` for one that fails; the others go on.

    What the database did not finish (a timeout, a deadlock) is the row's fault; when the next row
    fails so too, or the connection is lost, it is the database's, and the error is raised.

    Args:
        rows: What is to be done, one after the other.
        do: Does one row, in a transaction of its own.
        give_up: Logs the error and puts the row off or aside; called while it is handled.
    """
    was_slow = False
    for row in rows:
        try:
            do(row)
        except Exception as error:
            if not connection.is_usable():
                raise
            give_up(row, error)
            is_slow = isinstance(error, OperationalError)
            if is_slow and was_slow:
                raise
            was_slow = is_slow
        else:
            was_slow = False

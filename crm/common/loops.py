"""Loops that need no broker: one round after the other until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import close_old_connections
from django.utils import timezone

logger = logging.getLogger(__name__)


def run_until_stopped(work: Callable[[datetime], object], *, pause: timedelta) -> None:
    """Call ``work`` with the time, again and again, until SIGTERM or SIGINT.

    A round that fails is logged and the next one tries again: the database may be restarting. A
    round that returns something true had more to do than it did, so the next one begins at once.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        close_old_connections()
        try:
            has_more = work(timezone.now())
        except Exception:
            logger.exception("A round of the loop failed")
            has_more = False
        if not has_more:
            stop.wait(pause.total_seconds())

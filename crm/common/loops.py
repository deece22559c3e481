"""Working off what is due: in turns of a worker, or in a loop that needs no broker.

What works is a function of the time that returns something true when more is due than it did.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

logger = logging.getLogger(__name__)

#: How long one wake-up works while others wait for its worker; our choice.
TURN = timedelta(seconds=10)
PAUSE = timedelta(seconds=2)


def work_in_turn(work: Callable[[datetime], object], *, at_most: timedelta = TURN) -> None:
    """Call ``work`` with the time, read anew for each round, until nothing more is due.

    A turn that took ``at_most`` ends with its round: the next wake-up goes on, and whatever else
    waits for this worker comes first.
    """
    end = time.monotonic() + at_most.total_seconds()
    while work(timezone.now()) and time.monotonic() < end:
        pass


def run_until_stopped(work: Callable[[datetime], object], *, pause: timedelta) -> None:
    """Call ``work`` with the time, again and again, until SIGTERM or SIGINT.

    A round that fails is logged and the next one tries again: the database may be restarting. A
    round with more to do is followed by the next one at once.
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


class SweepCommand(BaseCommand):
    """Work off what is due, or go on until stopped."""

    @abstractmethod
    def sweep(self, now: datetime) -> bool:
        """Do one round; say whether more is due."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare ``--loop``."""
        parser.add_argument("--loop", action="store_true", help="go on until stopped")

    def handle(self, *, loop: bool, **_: Any) -> None:
        """Read the clock and sweep."""
        if loop:
            run_until_stopped(self.sweep, pause=PAUSE)
        else:
            work_in_turn(self.sweep, at_most=timedelta.max)

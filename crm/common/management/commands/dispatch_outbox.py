"""``manage.py dispatch_outbox``: deliver what is owed to the outside, without a broker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from crm.common import outbox
from crm.common.loops import run_until_stopped

PAUSE = timedelta(seconds=2)


class Command(BaseCommand):
    """Deliver due messages once, or go on until stopped."""

    help = "Deliver due outbox messages. With --loop, go on until stopped; needs no broker."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare ``--loop``."""
        parser.add_argument("--loop", action="store_true", help="go on until stopped")

    def handle(self, *, loop: bool, **_: Any) -> None:
        """Read the clock and dispatch."""
        if loop:
            run_until_stopped(_round, pause=PAUSE)
        else:
            while _round(timezone.now()):
                pass


def _round(now: datetime) -> bool:
    """Dispatch one batch; say whether more is due."""
    return outbox.dispatch_outbox(now=now) == outbox.BATCH

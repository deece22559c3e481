"""``manage.py enforce_deadlines``: record what clocks owe, without a broker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from crm.common.loops import run_until_stopped
from handoff import services

PAUSE = timedelta(seconds=2)


class Command(BaseCommand):
    """Record due warnings and breaches once, or go on until stopped."""

    help = "Record due warnings and breaches. With --loop, go on until stopped; needs no broker."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare ``--loop``."""
        parser.add_argument("--loop", action="store_true", help="go on until stopped")

    def handle(self, *, loop: bool, **_: Any) -> None:
        """Read the clock and enforce."""
        if loop:
            run_until_stopped(_round, pause=PAUSE)
        else:
            while _round(timezone.now()):
                pass


def _round(now: datetime) -> bool:
    """Enforce one batch; say whether more is due."""
    return services.enforce_deadlines(now=now) == services.BATCH

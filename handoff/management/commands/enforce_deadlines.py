"""``manage.py enforce_deadlines``: record what clocks owe, without a broker."""

from __future__ import annotations

from datetime import datetime

from crm.common.loops import SweepCommand
from handoff import services


class Command(SweepCommand):
    """Record due warnings and breaches once, or go on until stopped."""

    help = "Record due warnings and breaches. With --loop, go on until stopped; needs no broker."

    def sweep(self, now: datetime) -> bool:
        """Enforce one batch."""
        return services.enforce_deadlines(now=now) == services.BATCH

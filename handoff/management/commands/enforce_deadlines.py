"""``manage.py enforce_deadlines``: record what clocks owe, without a broker."""

from __future__ import annotations

from datetime import datetime

from crm.common.clock import database_now
from crm.common.loops import SweepCommand
from handoff import services


class Command(SweepCommand):
    """Record due warnings and breaches once, or go on until stopped."""

    help = "Record due warnings and breaches. With --loop, go on until stopped; needs no broker."

    def sweep(self, _now: datetime) -> bool:
        """Enforce one batch, by the database's clock."""
        return services.enforce_deadlines(now=database_now()) == services.BATCH

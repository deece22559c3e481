"""``manage.py dispatch_outbox``: deliver what is owed to the outside, without a broker."""

from __future__ import annotations

from datetime import datetime

from crm.common import outbox
from crm.common.loops import SweepCommand


class Command(SweepCommand):
    """Deliver due messages once, or go on until stopped."""

    help = "Deliver due outbox messages. With --loop, go on until stopped; needs no broker."

    def sweep(self, now: datetime) -> bool:
        """Dispatch one batch."""
        return outbox.dispatch_outbox(now=now) == outbox.BATCH

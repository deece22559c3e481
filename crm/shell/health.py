"""Whether the work is being done: database, broker, and a heartbeat per loop."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError
from kombu.exceptions import KombuError

from crm.celery import app
from crm.common.models import Heartbeat

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)  # a loop without work done for longer is not running
DEADLINES = "enforce_deadlines"
LOOPS = {
    DEADLINES: "Deadline enforcement",
    "absorb_events": "Absorbing events",
    "score_due_leads": "Scoring",
    "publish_due_models": "Publishing models",
    "release_waves": "Releases to sales",
    "dispatch_outbox": "Mail and alerts",
    "run_imports": "Imports",
    "run_bulk_jobs": "Work on many leads",
    "wake_leads": "Waking from nurture",
    "mark_duplicates": "Possible duplicates",
    "follow_merges": "Acts of merged leads",
    "record_attendance": "Attendance lists",
    "collector": "Collector",
}


@dataclass(frozen=True)
class LoopHealth:
    """One loop as it stands; ``age`` is the time since its last round, None before the first."""

    name: str
    label: str
    age: timedelta | None
    backlog: int
    oldest_due_at: datetime | None

    @property
    def is_running(self) -> bool:
        """Say whether a round ended within ``PATIENCE``."""
        return self.age is not None and self.age <= PATIENCE


@dataclass(frozen=True)
class Health:
    """Everything the health page shows. ``loops`` are empty while the database is away."""

    database: bool
    broker: bool
    loops: list[LoopHealth]

    @property
    def is_well(self) -> bool:
        """Say whether all work is being done; the broker alone stops none of it."""
        return self.database and all(loop.is_running for loop in self.loops)


def check_health(*, now: datetime) -> Health:
    """Ask the database and the broker, and read the heartbeats; waits a few seconds at most."""
    try:
        loops = loop_health(now=now)
    except DatabaseError:
        logger.exception("The database does not answer")
        return Health(database=False, broker=broker_answers(), loops=[])
    return Health(database=True, broker=broker_answers(), loops=loops)


def loop_health(*, now: datetime) -> list[LoopHealth]:
    """Return the state of each loop that must run, in the order of ``LOOPS``."""
    beats = {beat.loop: beat for beat in Heartbeat.objects.all()}
    return [_loop_health(name, label, beats.get(name), now) for name, label in LOOPS.items()]


def broker_answers() -> bool:
    """Say whether a message could be handed to the broker; waits a second or two."""
    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=1)
    except (KombuError, OSError):
        return False
    return True


def deadlines_are_enforced(*, now: datetime) -> bool:
    """Say whether the deadline loop did its work within ``PATIENCE``."""
    since = now - PATIENCE
    return Heartbeat.objects.filter(loop=DEADLINES, succeeded_at__gte=since).exists()


def _loop_health(name: str, label: str, beat: Heartbeat | None, now: datetime) -> LoopHealth:
    if beat is None:
        return LoopHealth(name, label, None, 0, None)
    age = max(now - beat.succeeded_at, timedelta(0))
    return LoopHealth(name, label, age, beat.backlog, beat.oldest_due_at)

"""The sweep that warns and breaches. The database is the clock: nothing is lost when it sleeps.

It takes handoffs whose alarms are due, past those that others work on, and records per clock what
is owed at ``now``: each warning at most once, a breach dated by its due time. Answers lock the same
rows, so the sweep sees them before or after, never in between. After an outage the warnings that
were overtaken are dropped, and there is one message per handoff, about the worst of it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Min, Value, When

from crm.common import health
from crm.common.notifications import notify_all
from handoff.enums import Alarm
from handoff.models import Clock, Handoff
from handoff.services.alarms import Audience, news_of

logger = logging.getLogger(__name__)

LOOP = "enforce_deadlines"
BATCH = 100
#: The backlog is counted up to here; more is "many" all the same.
MOST_COUNTED = 10_000

#: A handoff whose alarm cannot be recorded is tried again after this, the others go on meanwhile.
RETRY_AFTER = timedelta(minutes=1)


@transaction.atomic
def enforce_deadlines(*, now: datetime, limit: int = BATCH) -> int:
    """Record up to ``limit`` of the warnings and breaches owed at ``now``, oldest first.

    Safe to repeat and to run in parallel.

    Returns:
        How many alarms were taken; ``limit`` means that more may be due.
    """
    taken = _take(now, limit) if Clock.objects.alarming(now).exists() else []
    if taken:
        of = Handoff.objects.select_related("lead", "holder", "team", "calendar")
        _record_all(list(of.filter(pk__in=taken)), now)
    waiting = Clock.objects.alarming(now) if len(taken) == limit else Clock.objects.none()
    oldest = waiting.aggregate(oldest=Min("alarm_at"))["oldest"]
    backlog = waiting.order_by("alarm_at")[:MOST_COUNTED].count()
    health.beat(LOOP, now, backlog=backlog, oldest_due_at=oldest)
    return len(taken)


def _take(now: datetime, limit: int) -> list[int]:
    """Lock the handoffs whose alarms are the longest due, past those that others have locked.

    Returns:
        Their ids; one with two due alarms comes twice.
    """
    due = (
        Handoff.objects.filter(clocks__alarm_at__lt=now)
        .order_by("clocks__alarm_at", "clocks__id")
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .values_list("pk", flat=True)
    )
    return list(due[:limit])


def _record_all(handoffs: Sequence[Handoff], now: datetime) -> None:
    """Record for all at once; when that fails, one by one, so that only the faulty row waits."""
    audience = Audience()
    try:
        with transaction.atomic():
            _record(handoffs, audience, now)
    except Exception:
        logger.exception("Could not record %s handoffs at once", len(handoffs))
        for handoff in handoffs:
            _record_one(handoff, audience, now)


def _record_one(handoff: Handoff, audience: Audience, now: datetime) -> None:
    try:
        with transaction.atomic():
            _record([handoff], audience, now)
    except Exception:
        logger.exception("Could not record the alarms of handoff %s", handoff.pk)
        handoff.clocks.alarming(now).update(alarm_at=now + RETRY_AFTER)


def _record(handoffs: Sequence[Handoff], audience: Audience, now: datetime) -> None:
    """Read the due clocks, now that no answer can change them, advance them and tell people."""
    due = list(Clock.objects.alarming(now).filter(handoff__in=handoffs))
    Clock.objects.filter(pk__in=[clock.pk for clock in due]).update(
        breached_at=Case(When(due_at__lt=now, then=F("due_at"))),
        alarm=Case(
            When(due_at__lt=now, then=Value("")),
            When(warn_most_at__lt=now, then=Value(Alarm.BREACH)),
            default=Value(Alarm.MOST),
        ),
        alarm_at=Case(
            When(due_at__lt=now, then=None),
            When(warn_most_at__lt=now, then=F("due_at")),
            default=F("warn_most_at"),
        ),
    )
    of_handoff = defaultdict(list)
    for clock in due:
        of_handoff[clock.handoff_id].append(clock)
    notify_all(
        [
            news_of(handoff, of_handoff[handoff.pk], audience, now=now)
            for handoff in handoffs
            if of_handoff[handoff.pk]
        ],
        now=now,
    )

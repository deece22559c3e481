"""Starting, stopping and withdrawing clocks. Callers hold the handoff's row.

Whoever ends a clock after its due time records the breach too, so a late answer is late whether or
not a sweep ran before it. Evidence that was in time lifts a breach that the sweep recorded before
the evidence was written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Case, F, When

from handoff.business_hours import working_time_between
from handoff.deadlines import deadline
from handoff.enums import Alarm, ClockKind
from handoff.models import Clock, Handoff


def start_clocks(handoff: Handoff, targets: Mapping[ClockKind, timedelta]) -> list[Clock]:
    """Start one clock per target at the opening of ``handoff``, on its calendar."""
    return Clock.objects.bulk_create(
        new_clock(handoff, kind, target) for kind, target in targets.items()
    )


def new_clock(handoff: Handoff, kind: ClockKind, target: timedelta) -> Clock:
    """Return a clock that runs from the opening of ``handoff``, on its calendar; not stored yet."""
    times = deadline(handoff.opened_at, target, handoff.calendar.hours)
    return Clock(
        handoff=handoff,
        answerable=handoff.holder,
        kind=kind,
        target=target,
        started_at=times.started_at,
        warn_half_at=times.warn_half_at,
        at_risk_at=times.at_risk_at,
        warn_most_at=times.warn_most_at,
        due_at=times.due_at,
        alarm=Alarm.HALF,
        alarm_at=times.warn_half_at,
    )


def stop_clock(handoff: Handoff, kind: ClockKind, *, at: datetime) -> None:
    """Stop the clock of ``kind`` if it still runs; the due instant itself is in time."""
    clock = handoff.clocks.running().filter(kind=kind).first()
    if clock is None:
        return
    handoff.clocks.filter(pk=clock.pk).update(
        stopped_at=at,
        elapsed=working_time_between(clock.started_at, at, handoff.calendar.hours),
        breached_at=Case(When(due_at__lt=at, then=F("due_at"))),
        alarm="",
        alarm_at=None,
    )


def withdraw_clocks(handoff: Handoff, *, at: datetime) -> None:
    """End what still runs without evidence; what was overdue by then stays breached."""
    handoff.clocks.running().update(
        withdrawn_at=at,
        breached_at=Case(When(due_at__lt=at, then=F("due_at"))),
        alarm="",
        alarm_at=None,
    )

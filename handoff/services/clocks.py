"""Starting, stopping and withdrawing clocks. Callers hold the handoff's row.

Whoever ends a clock after its due time records the breach too, so a late answer is late whether or
not a sweep ran before it. Evidence that was in time lifts a breach that the sweep recorded before
the evidence was written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db.models import Case, F, When

from handoff.business_hours import add_working_time, working_time_between
from handoff.deadlines import deadline
from handoff.enums import Alarm, ClockKind
from handoff.models import Clock, Handoff
from handoff.policy import TIMES_OUT


def start_clocks(handoff: Handoff, targets: Mapping[ClockKind, timedelta]) -> list[Clock]:
    """Start one clock per target at the opening of ``handoff``, on its calendar."""
    return Clock.objects.bulk_create(
        new_clock(handoff, kind, target) for kind, target in targets.items()
    )


def new_clock(handoff: Handoff, kind: ClockKind, target: timedelta) -> Clock:
    """Return a clock that runs from the opening of ``handoff``, on its calendar; not stored yet."""
    terms = handoff.enforcement
    times = deadline(handoff.opened_at, target, handoff.calendar.hours, terms)
    clock = Clock(
        handoff=handoff,
        answerable=handoff.holder,
        kind=kind,
        **asdict(times),
        alarm=Alarm.FIRST,
        alarm_at=times.first_warning_at,
    )
    clock.reassign_at = lapses_at(clock, handoff, since=handoff.opened_at)
    return clock


def lapses_at(clock: Clock, handoff: Handoff, *, since: datetime) -> datetime | None:
    """Return when the holder, who has it ``since`` then, loses ``handoff`` over ``clock``.

    None when that is not agreed, and for what nobody holds.
    """
    grace = handoff.enforcement.reassign_after
    if grace is None or handoff.holder is None or clock.kind not in TIMES_OUT:
        return None
    return add_working_time(max(clock.due_at, since), grace, handoff.calendar.hours)


def stop_clock(handoff: Handoff, kind: ClockKind, *, at: datetime) -> None:
    """Stop the clock of ``kind`` if it still runs; the due instant itself is in time."""
    if clock := handoff.clocks.running().filter(kind=kind).first():
        _stop(clock, handoff, at)


def antedate_stop(handoff: Handoff, kind: ClockKind, *, at: datetime) -> None:
    """Let evidence of ``at`` that was approved later count, unless the clock had ended by then."""
    clock = handoff.clocks.filter(kind=kind).first()
    if clock and (clock.ended_at is None or at < clock.ended_at):
        _stop(clock, handoff, at)


def _stop(clock: Clock, handoff: Handoff, at: datetime) -> None:
    """Write that evidence of ``at`` stopped ``clock``, and who was answerable for it then."""
    settled_at = min(at, clock.due_at)
    of_then = handoff.holders.filter(started_at__lte=settled_at).order_by("-started_at", "-id")
    interval = of_then.first()
    handoff.clocks.filter(pk=clock.pk).update(
        stopped_at=at,
        withdrawn_at=None,
        elapsed=working_time_between(clock.started_at, at, handoff.calendar.hours),
        answerable=interval.holder_id if interval else clock.answerable_id,
        breached_at=Case(When(due_at__lt=at, then=F("due_at"))),
        excused_at=Case(When(due_at__lt=at, then=F("excused_at"))),
        alarm="",
        alarm_at=None,
        reassign_at=None,
    )


def withdraw_clocks(handoff: Handoff, *, at: datetime) -> None:
    """End what still runs without evidence; what was overdue by then stays breached."""
    handoff.clocks.running().update(
        withdrawn_at=at,
        breached_at=Case(When(due_at__lt=at, then=F("due_at"))),
        alarm="",
        alarm_at=None,
        reassign_at=None,
    )

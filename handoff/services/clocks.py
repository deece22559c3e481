"""Starting, stopping and withdrawing clocks. Callers hold the handoff's row.

Whoever ends a clock after its due time records the breach too, so a late answer is late whether or
not a sweep ran before it. Evidence that was in time lifts a breach that the sweep recorded before
the evidence was written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db.models import Case, F, When

from handoff.business_hours import NoOpening, add_working_time, working_time_between
from handoff.deadlines import deadline
from handoff.enums import Alarm, ClockKind
from handoff.models import Clock, Handoff, WorkCalendar
from handoff.policy import TIMES_OUT
from handoff.split_clock import had_most
from handoff.splits import course_of, holders_of


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
    clock.reassign_at = _lapses_at(clock, handoff, handoff.calendar, since=handoff.opened_at)
    return clock


def entrust(clocks: Sequence[Clock], handoff: Handoff) -> None:
    """Say of running clocks, unsaved, whose they are now that ``handoff`` has its latest holder.

    One that is not due yet is answered for by whoever has the most of its time, each by their own
    hours, should it run until then: nobody answers for the time of others. What was due before
    stays with whoever let it. The holder has time of their own before they lose the handoff.
    """
    holders = holders_of(handoff)
    latest = holders[-1]
    for clock in clocks:
        if clock.due_at >= latest.started_at:
            clock.answerable_id = had_most(course_of(handoff, holders, ended_at=clock.due_at))
        hours = latest.calendar or handoff.calendar
        clock.reassign_at = _lapses_at(clock, handoff, hours, since=latest.started_at)


def _lapses_at(
    clock: Clock, handoff: Handoff, calendar: WorkCalendar, *, since: datetime
) -> datetime | None:
    """Return when the holder, who has it ``since`` then, loses ``handoff`` over ``clock``.

    None when that is not agreed, for what nobody holds, and where ``calendar``, by which the holder
    works, does not open for as long any more.
    """
    grace = handoff.enforcement.reassign_after
    if grace is None or handoff.holder is None or clock.kind not in TIMES_OUT:
        return None
    with suppress(NoOpening):
        return add_working_time(max(clock.due_at, since), grace, calendar.hours)
    return None


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
    """Write that evidence of ``at`` stopped ``clock``, and who answers for it."""
    handoff.clocks.filter(pk=clock.pk).update(
        stopped_at=at,
        withdrawn_at=None,
        elapsed=working_time_between(clock.started_at, at, handoff.calendar.hours),
        answerable=_answering(clock, handoff, at),
        breached_at=Case(When(due_at__lt=at, then=F("due_at"))),
        excused_at=Case(When(due_at__lt=at, then=F("excused_at"))),
        alarm="",
        alarm_at=None,
        reassign_at=None,
    )


def _answering(clock: Clock, handoff: Handoff, at: datetime) -> int | None:
    """Return who held ``handoff`` when ``clock`` was stopped in time; of a late one, who let it."""
    if at <= clock.due_at:
        begun = handoff.holders.filter(started_at__lte=at).order_by("-started_at", "-id")
        for holding in begun[:1]:
            return holding.holder_id
    return clock.answerable_id


def withdraw_clocks(handoff: Handoff, *, at: datetime) -> None:
    """End what still runs without evidence; what was overdue by then stays breached."""
    handoff.clocks.running().update(
        withdrawn_at=at,
        breached_at=Case(When(due_at__lt=at, then=F("due_at"))),
        alarm="",
        alarm_at=None,
        reassign_at=None,
    )

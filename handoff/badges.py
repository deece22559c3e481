"""Clocks as people read them: badge, arithmetic, the sentence behind a deadline. No queries.

Times are said in the zone that is active, the viewer's; working time is counted on the calendar to
which the handoff is pinned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.utils import timezone

from crm.common.ui.badges import (
    ClockState,
    Running,
    SlaBadge,
    met_badge,
    paused_badge,
    running_badge,
    waiting_badge,
)
from crm.common.ui.words import working_time
from handoff.business_hours import (
    BusinessCalendar,
    NoOpening,
    explain_due,
    next_opening,
    open_windows,
    working_time_between,
)
from handoff.enums import ClockKind
from handoff.models import Clock

#: How far ahead the end of the working window around now is looked for.
_ONE_DAY = timedelta(days=1)
_ONE_MINUTE = timedelta(minutes=1)
#: The names of clocks by what is stored, looked up once.
_NAMES = {kind.value: kind.label for kind in ClockKind}


def time_left(clock: Clock, calendar: BusinessCalendar, *, now: datetime) -> timedelta:
    """Return the working time until ``clock`` is due, negative once it is overdue."""
    if now <= clock.due_at:
        return working_time_between(now, clock.due_at, calendar)
    return -working_time_between(clock.due_at, now, calendar)


def clock_badge(clock: Clock, calendar: BusinessCalendar, *, now: datetime) -> SlaBadge:
    """Return how ``clock`` stands: running, paused outside hours, met, missed or withdrawn."""
    name, title = _NAMES[clock.kind], deadline_sentence(clock)
    ended_at = clock.stopped_at or clock.withdrawn_at
    if ended_at is None:
        return _running(clock, name, title, calendar, now)
    if ended_at > clock.due_at:
        over = working_time(working_time_between(clock.due_at, ended_at, calendar))
        excused = ", excused" if clock.excused_at else ""
        return SlaBadge(ClockState.BREACHED, name, f"{over} over{excused}", title=title)
    if clock.withdrawn_at is not None:
        return waiting_badge(clock=name, text="withdrawn", title=title)
    took = working_time_between(clock.started_at, ended_at, calendar)
    return met_badge(clock=name, took=took, title=title)


def _running(
    clock: Clock, name: str, title: str, calendar: BusinessCalendar, now: datetime
) -> SlaBadge:
    closes_at, is_over = _closes_at(calendar, now), now > clock.due_at
    if closes_at is None and not is_over:
        return paused_badge(clock=name, resumes=_resumes(calendar, now), title=title)
    running = Running(
        left=time_left(clock, calendar, now=now),
        allowed=clock.target,
        read_at=now,
        closes_at=closes_at or now,
        is_over=is_over,
    )
    return running_badge(clock=name, running=running, title=title)


@lru_cache(maxsize=16)  # a list has dozens of clocks, and its calendars are few
def _closes_at(calendar: BusinessCalendar, now: datetime) -> datetime | None:
    """Return the end of the working window around ``now``; None outside of all."""
    window = next(open_windows(now, now + _ONE_DAY, calendar), None)
    return window.end if window and window.start == now else None


def _resumes(calendar: BusinessCalendar, now: datetime) -> str:
    """Say when work begins again, also of a calendar whose last day is over."""
    opening = _next_opening(calendar, now)
    return _moment(opening, now) if opening else "no opening to come"


@lru_cache(maxsize=16)
def _next_opening(calendar: BusinessCalendar, now: datetime) -> datetime | None:
    try:
        return next_opening(now, calendar)
    except NoOpening:
        return None


def deadline_sentence(clock: Clock) -> str:
    """Return ``Accept by Tue 12 May 11:03 CEST, 2 h of working time from 09:03``."""
    zone = timezone.get_current_timezone()
    due_at, started_at = clock.due_at.astimezone(zone), clock.started_at.astimezone(zone)
    start = (
        f"{started_at:%H:%M}" if started_at.date() == due_at.date() else _day_and_time(started_at)
    )
    return (
        f"{_NAMES[clock.kind]} by {_day_and_time(due_at)} {due_at.tzname()},"
        f" {working_time(clock.target)} of working time from {start}"
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of open hours on the way to a deadline, in the viewer's zone.

    ``span`` is in whole minutes; those of all steps add up to the target.
    """

    started_at: datetime
    ended_at: datetime
    span: timedelta


def arithmetic(clock: Clock, calendar: BusinessCalendar) -> list[Step]:
    """Return the stretches whose lengths add up to the target; the last one ends when it is due.

    The time worked so far is rounded at the end of each stretch, not the stretches one by one.
    """
    steps: list[Step] = []
    worked = timedelta(0)
    for start, end in explain_due(clock.started_at, clock.target, calendar):
        until_then, worked = worked, worked + (end - start)
        span = _whole_minutes(worked) - _whole_minutes(until_then)
        steps.append(Step(timezone.localtime(start), timezone.localtime(end), span))
    return steps


#: A sentence names as many stretches of open hours; of more, the first and the last ones.
_MOST_NAMED = 3


def arithmetic_sentence(clock: Clock, steps: Sequence[Step]) -> str:
    """Return ``2 h of working time from Fri 17:10: 50 min on Friday, 1 h 10 from Monday 09:00``."""
    said = [_step_words(step, clock) for step in steps]
    if len(said) > _MOST_NAMED:
        between = sum((step.span for step in steps[1:-1]), timedelta(0))
        said = [said[0], f"{working_time(between)} on the way", said[-1]]
    start = f"{timezone.localtime(clock.started_at):%a %H:%M}"
    return f"{working_time(clock.target)} of working time from {start}: {', '.join(said)}"


def _step_words(step: Step, clock: Clock) -> str:
    span, is_first = working_time(step.span), step.started_at == clock.started_at
    return (
        f"{span} on {step.started_at:%A}" if is_first else f"{span} from {step.started_at:%A %H:%M}"
    )


def _whole_minutes(span: timedelta) -> timedelta:
    return _ONE_MINUTE * round(span / _ONE_MINUTE)


def _moment(at: datetime, now: datetime) -> str:
    local = timezone.localtime(at)
    same_day = local.date() == timezone.localtime(now).date()
    return f"{local:%H:%M}" if same_day else f"{local:%a %H:%M}"


def _day_and_time(local: datetime) -> str:
    return local.strftime(f"%a {local.day} %b %H:%M")

"""The three instants of a clock: half-way warning, last warning, due. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from handoff.business_hours import BusinessCalendar, add_working_time

HALF = 0.5  # product.md: warned at 50 % and 80 % of the target, in working time
MOST = 0.8


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a clock warns and falls due; all instants in UTC, ``target`` in working time."""

    started_at: datetime
    target: timedelta
    warn_half_at: datetime
    warn_most_at: datetime
    due_at: datetime


def deadline(started_at: datetime, target: timedelta, calendar: BusinessCalendar) -> Deadline:
    """Lay ``target`` of working time onto ``calendar``, from ``started_at``.

    Raises:
        NoOpening: ``calendar`` is not open for long enough.
        SpanInvalid: ``started_at`` is naive or ``target`` negative.
    """
    return Deadline(
        started_at=started_at,
        target=target,
        warn_half_at=add_working_time(started_at, target * HALF, calendar),
        warn_most_at=add_working_time(started_at, target * MOST, calendar),
        due_at=add_working_time(started_at, target, calendar),
    )

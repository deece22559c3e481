"""The instants of a clock: half-way warning, at risk, last warning, due. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.common.ui.badges import AT_RISK_SHARE
from handoff.business_hours import BusinessCalendar, add_working_time

HALF = 0.5  # warned at 50 % and 80 % of the target, in working time
MOST = 0.8
AT_RISK = 1 - AT_RISK_SHARE  # shown as at risk from here on, on badges and in lists alike


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a clock warns and falls due; all instants in UTC, ``target`` in working time."""

    started_at: datetime
    target: timedelta
    warn_half_at: datetime
    at_risk_at: datetime
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
        at_risk_at=add_working_time(started_at, target * AT_RISK, calendar),
        warn_most_at=add_working_time(started_at, target * MOST, calendar),
        due_at=add_working_time(started_at, target, calendar),
    )

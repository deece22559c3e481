"""The instants of a clock: both warnings, at risk, due, escalated. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.common.ui.badges import AT_RISK_SHARE
from handoff.business_hours import BusinessCalendar, add_working_time
from handoff.policy import Enforcement

AT_RISK = 1 - AT_RISK_SHARE  # shown as at risk from here on, on badges and in lists alike


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a clock warns, falls due and is escalated; instants in UTC, ``target`` working time."""

    started_at: datetime
    target: timedelta
    first_warning_at: datetime
    at_risk_at: datetime
    last_warning_at: datetime
    due_at: datetime
    escalate_at: datetime


def deadline(
    started_at: datetime, target: timedelta, calendar: BusinessCalendar, terms: Enforcement
) -> Deadline:
    """Lay ``target`` of working time onto ``calendar``, from ``started_at``.

    Raises:
        NoOpening: ``calendar`` is not open for long enough.
        SpanInvalid: ``started_at`` is naive or ``target`` negative.
    """
    return Deadline(
        started_at=started_at,
        target=target,
        first_warning_at=add_working_time(started_at, target * terms.first_warning / 100, calendar),
        at_risk_at=add_working_time(started_at, target * AT_RISK, calendar),
        last_warning_at=add_working_time(started_at, target * terms.last_warning / 100, calendar),
        due_at=add_working_time(started_at, target, calendar),
        escalate_at=add_working_time(started_at, target + terms.escalate_after, calendar),
    )

"""What sales had to take on week by week, and with whom: for back-tests of scoring models."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, Value
from django.db.models.functions import Coalesce, TruncWeek
from django.utils import timezone

from crm.accounts.models import User
from handoff.business_hours import open_windows
from handoff.enums import ClockKind
from handoff.models import Agreement, Clock, WorkCalendar

_MINUTE = timedelta(minutes=1)


def sales_load(starts_at: datetime, ends_at: datetime, now: datetime) -> dict[str, Any]:
    """Return the load as ``scoring.slots.SalesLoad`` says."""
    agreement = Agreement.objects.in_force(now).first()
    tiers = agreement.tiers.order_by("position") if agreement else ()
    days = _working_days(starts_at, ends_at)
    return {
        "reps": User.objects.reps().filter(sales_team__isnull=False).count(),
        "goal": agreement.on_time_goal if agreement else None,
        "minutes": [
            {"tier": tier.name, "minutes": tier.first_touch_within // _MINUTE} for tier in tiers
        ],
        "weeks": [
            {"week": week.isoformat(), "working_days": days[week], "due": due, "on_time": on_time}
            for week, (due, on_time) in sorted(_answered(starts_at, ends_at, now, days).items())
        ],
    }


def _working_days(starts_at: datetime, ends_at: datetime) -> Counter[date]:
    """Count the local days of each week on which the company's calendar opens."""
    calendar = WorkCalendar.objects.measuring(None)
    if calendar is None:
        return Counter()
    windows = open_windows(starts_at, ends_at, calendar.hours)
    days = {timezone.localdate(span.start) for span in windows}
    return Counter(day - timedelta(days=day.weekday()) for day in days)


def _answered(
    starts_at: datetime, ends_at: datetime, now: datetime, days: Counter[date]
) -> dict[date, tuple[int, int]]:
    """Return how many first touches of each week's handoffs fell due, and were in time.

    What was excused counts neither way, as in the reports.
    """
    ended = Coalesce("stopped_at", "withdrawn_at", Value(now))
    fell_due = Q(stopped_at__lte=F("due_at")) | Q(due_at__lt=ended, excused_at__isnull=True)
    clocks = Clock.objects.filter(
        kind=ClockKind.FIRST_TOUCH,
        handoff__opened_at__gte=starts_at,
        handoff__opened_at__lt=ends_at,
    )
    found = (
        clocks.filter(fell_due)
        .annotate(week=TruncWeek("handoff__opened_at"))
        .order_by()
        .values_list("week")
        .annotate(due=Count("pk"), on_time=Count("pk", filter=Q(stopped_at__lte=F("due_at"))))
    )
    weeks = dict.fromkeys(days, (0, 0))
    return weeks | {timezone.localdate(week): (due, on_time) for week, due, on_time in found}

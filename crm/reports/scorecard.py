"""What both sides promised, and how far they have kept it in a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from crm.accounts.models import User
from crm.common.period import Period
from crm.reports.enums import READERS
from crm.reports.headlines import Headline, touched_in_time, volume
from crm.reports.outcomes import Outcome
from crm.reports.promises import (
    Course,
    Promise,
    attempts_made,
    course_of,
    kept_in_time,
    share_kept,
)
from handoff.enums import AgreementState, ClockKind
from handoff.models import Agreement


@dataclass(frozen=True)
class Side:
    """What one side promised; the headline is its first promise, none without a volume."""

    title: str
    headline: Headline | None
    promises: Sequence[Promise]

    @property
    def verdict(self) -> str:
        """Say how many promises are kept, of those of which enough is known."""
        known = self._known
        return f"{sum(known)} of {len(known)} kept so far" if known else "Too few yet"

    @property
    def state(self) -> str:
        """Return the colour of the verdict: ok, risk or none."""
        known = self._known
        return ("ok" if all(known) else "risk") if known else ""

    @property
    def _known(self) -> list[bool]:
        first = [self.headline.is_kept] if self.headline else []
        of_others = (promise.is_kept for promise in self.promises)
        return [is_kept for is_kept in (*first, *of_others) if is_kept is not None]


@dataclass(frozen=True)
class Scorecard:
    """Both sides of one month, at equal size."""

    month: Period
    marketing: Side
    sales: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Return both, marketing first."""
        return self.marketing, self.sales


def scorecard(agreement: Agreement | None, day: date, *, now: datetime) -> Scorecard | None:
    """Return how both sides keep ``agreement`` in the month of ``day``; None without one."""
    if agreement is None:
        return None
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    period = Period(day.replace(day=1), following - timedelta(days=1))
    month = course_of(period, reverse("reports:sla_handoffs"), now=now)
    return Scorecard(period, _marketing(agreement, month, now), _sales(agreement, month, now))


def month_so_far(agreement: Agreement, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return how this month keeps an agreement that is in force; an ``AgreementNote``.

    For those who can open the figures.
    """
    if agreement.state != AgreementState.IN_FORCE or not viewer.has_role(*READERS):
        return None
    card = scorecard(agreement, timezone.localtime(now).date(), now=now)
    return {"card": card} if card else None


def _marketing(agreement: Agreement, month: Course, now: datetime) -> Side:
    promised = agreement.mqls_per_month
    promises = [
        share_kept("Accepted by sales", month, Outcome.ACCEPTED, Outcome.ANSWERED,
                   agreement.acceptance_goal),
        share_kept("Became SQL", month, Outcome.QUALIFIED, Outcome.DECIDED, agreement.sql_goal),
    ]  # fmt: skip
    headline = volume(promised, month, now=now) if promised else None
    return Side("Marketing promises", headline, promises)


def _sales(agreement: Agreement, month: Course, now: datetime) -> Side:
    promises = [
        attempts_made(month, agreement.attempts_owed),
        kept_in_time("Verdict in time", month, ClockKind.VERDICT, agreement.verdict_goal),
    ]
    if agreement.conversion_goal:
        goal = agreement.conversion_goal
        promises.append(share_kept("SQLs won", month, Outcome.WON, Outcome.SETTLED, goal))
    return Side("Sales promises", touched_in_time(agreement.on_time_goal, month, now=now), promises)

"""The longest that a clock can run under an agreement, and whether calendars open for as long.

A clock is counted in the transaction that makes the MQL: if it finds no end, nothing is handed over
any more. So hours and promises are held against each other whenever either is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.common.ui.words import working_time
from handoff.business_hours import BusinessCalendar, NoOpening, add_working_time
from handoff.enums import ClockKind
from handoff.models import Agreement, SlaTier, WorkCalendar
from handoff.policy import DEFAULT_ENFORCEMENT, Enforcement, default_targets


@dataclass(frozen=True, slots=True)
class Promise:
    """Working time from the start of a clock to the last thing that it does; ``of`` names it."""

    span: timedelta
    of: str

    def __str__(self) -> str:
        return f"the {working_time(self.span)} of {self.of}"

    def fits(self, calendar: BusinessCalendar, *, now: datetime) -> bool:
        """Say whether ``calendar`` opens for as long after ``now``."""
        try:
            add_working_time(now, self.span, calendar)
        except NoOpening:
            return False
        return True


def longest_promise(agreement: Agreement | None) -> Promise:
    """Return what needs the most time under ``agreement``; None is the default policy."""
    if agreement is None:
        longest = max(default_targets(is_fast_track=False).values())
        return Promise(longest + _afterwards(DEFAULT_ENFORCEMENT), "the default policy")
    after = _afterwards(agreement.enforcement)
    of_tiers = [Promise(_longest(tier) + after, f"tier {tier}") for tier in agreement.tiers.all()]
    return max(of_tiers, key=lambda promise: promise.span)


def calendar_too_short(agreement: Agreement, *, now: datetime) -> str:
    """Say which calendar opens too little for ``agreement``; empty where none does."""
    promise = longest_promise(agreement)
    for calendar in WorkCalendar.objects.current().order_by("id"):
        if not promise.fits(calendar.hours, now=now):
            return f"{calendar} opens too little for {promise}: allow less, or give it more hours."
    return ""


def _longest(tier: SlaTier) -> timedelta:
    spans: list[timedelta] = [getattr(tier, SlaTier.TARGETS[kind]) for kind in ClockKind]
    return max(spans)


def _afterwards(terms: Enforcement) -> timedelta:
    """Return how long after its due time a clock is still at work."""
    return max(terms.escalate_after, terms.reassign_after or timedelta(0))

"""A desk with handoffs of any time, and the sums of its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.reports.services import count_sla_days, count_splits
from crm.reports.sla import tier_label
from crm.reports.standing import NOBODY, By, Scope
from handoff.enums import ClockKind, HandoffState
from handoff.models import Clock, Handoff, SlaTier, WorkCalendar
from tests.factories import NOW, make_lead, make_user

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TODAY = NOW + 9 * DAY
ZONES = ("Europe/Berlin", "Asia/Kolkata", "America/St_Johns")


@dataclass(frozen=True)
class Desk:
    """Who and what handoffs are made of."""

    teams: Sequence[SalesTeam]
    reps: Sequence[User]
    tiers: Sequence[SlaTier]
    calendar: WorkCalendar


def make_readers() -> None:
    """Have somebody in each zone who reads reports."""
    for zone in ZONES:
        make_user(Role.MANAGER, time_zone=zone)


def open_one(desk: Desk, random: Random, at: datetime) -> Handoff:
    """Open a handoff at ``at``, with clocks of a length that is found nowhere else."""
    is_tiered = random.random() < 0.7
    tier = random.choice(desk.tiers) if is_tiered else None
    handoff = Handoff.objects.create(
        lead=make_lead(source=random.choice(["", "fair", "ad"])), cycle=1,
        team=random.choice([*desk.teams, None]), tier=tier,
        agreement=tier.agreement if tier else None, calendar=desk.calendar,
        state=HandoffState.QUALIFIED, closed_at=at + DAY, raised_at=at, opened_at=at,
        brief={}, brief_digest="", attempts=random.randint(0, 5),
    )  # fmt: skip
    for kind in ClockKind:
        due_at = at + timedelta(minutes=random.randint(30, 6000))
        Clock.objects.create(
            handoff=handoff, kind=kind, target=due_at - at, started_at=at, first_warning_at=due_at,
            at_risk_at=due_at, last_warning_at=due_at, due_at=due_at, escalate_at=due_at,
            answerable=random.choice([*desk.reps, None]),
        )  # fmt: skip
    return handoff


def key_of(clock: Any, by: By) -> str:
    """Return the key of the row that ``clock`` counts in."""
    handoff, day = clock.handoff, timezone.localtime(clock.started_at)
    keys = {
        By.REP: clock.answerable_id,
        By.TEAM: handoff.team_id,
        By.TIER: tier_label(handoff),
        By.SOURCE: handoff.lead.source,
        By.VERSION: handoff.agreement.version if handoff.agreement else None,
        By.WEEK: (day - day.weekday() * DAY).date(),
    }
    return str(keys[by] or NOBODY)


def period(kind: ClockKind, **narrowed: Any) -> Scope:
    """Return the last week of whole local days, today among them."""
    zone = timezone.get_current_timezone()
    end = TODAY.astimezone(zone).replace(hour=0, minute=0) + DAY
    return Scope(kind, end - 7 * DAY, end, **narrowed)


def count_all(now: datetime) -> None:
    while count_splits(now=now) or count_sla_days(now=now):
        pass

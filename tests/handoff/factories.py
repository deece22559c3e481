"""What a handoff needs around it, one believable row each; all through the services."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from handoff.enums import Side
from handoff.models import Agreement, Clock, Handoff, WorkCalendar
from handoff.services import TierTerms, define_calendar, draft_agreement, sign_agreement
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import change_stage
from scoring.models import ScoringModel
from scoring.presets import default_definition
from scoring.services import create_draft, put_in_force
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_lead, make_team, make_user

LONG_AGO = NOW - timedelta(days=400)

#: Weekdays nine to six in Berlin; ``NOW`` is a Tuesday, 11:00 there.
BERLIN_WEEK = {
    "timezone": "Europe/Berlin",
    "weekly": {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}
ANY_LEAD = TierTerms(
    name="Everything else",
    accept_within=timedelta(hours=2),
    first_touch_within=timedelta(hours=4),
    verdict_within=timedelta(hours=18),
)
BUYING_ACT = TierTerms(
    name="Buying acts",
    accept_within=timedelta(minutes=10),
    first_touch_within=timedelta(minutes=15),
    verdict_within=timedelta(hours=9),
    is_fast_track=True,
)


def make_calendar(team: SalesTeam | None = None, **fields: Any) -> WorkCalendar:
    """Make the Berlin calendar of ``team``, or the company's default without one."""
    defaults: dict[str, Any] = {
        "name": f"Berlin {team or 'default'}",
        "definition": BERLIN_WEEK,
        "is_default": team is None,
        "team": team,
        "now": NOW,
    }
    return define_calendar(**{**defaults, **fields})


def make_rep(team: SalesTeam, **fields: Any) -> User:
    """Make an active rep of ``team``."""
    return make_user(Role.REP, sales_team=team, **fields)


def zone_at_noon() -> str:
    """Return a zone where it is about noon, so that what is due soon is due today."""
    return f"Etc/GMT{timezone.now().hour - 12:+d}"


def make_agreement(*tiers: TierTerms, now: datetime = NOW, **promises: Any) -> Agreement:
    """Make an agreement in force, signed by two people."""
    agreement = draft_agreement(
        scoring_model=make_scoring_model(),
        tiers=tiers or (BUYING_ACT, ANY_LEAD),
        now=now,
        **promises,
    )
    marketer, manager = make_user(Role.MARKETER), make_user(Role.MANAGER)
    sign_agreement(agreement_id=agreement.pk, signer=marketer, side=Side.MARKETING, now=now)
    return sign_agreement(agreement_id=agreement.pk, signer=manager, side=Side.SALES, now=now)


def other_definition(*cells: str) -> dict[str, Any]:
    """Return the shipped model with other cells in its MQL definition, by default one more."""
    shipped = default_definition()
    return {**shipped, "mql": {**shipped["mql"], "cells": [*(cells or ("A1", "A2", "C2"))]}}


def make_scoring_model() -> ScoringModel:
    """Publish the model that Baton ships with, before anything happens."""
    model = create_draft(definition=default_definition(), now=LONG_AGO)
    put_in_force(model, now=LONG_AGO)
    return model


def make_handoff(
    *, rep: User | None = None, now: datetime = NOW, rule: str = "Cell B2", **lead_fields: Any
) -> Handoff:
    """Open the handoff of a new lead by making it an MQL at ``now``.

    Without ``rep`` to be handed to, a team with one rep is made, unless there is a team already.
    """
    if rep is None and not SalesTeam.objects.exists():
        make_rep(make_team())
    lead = make_lead(**{"created_at": now - timedelta(days=1), **lead_fields})
    return become_mql(lead, now=now, rule=rule)


def become_mql(lead: Lead, *, now: datetime = NOW, rule: str = "Cell B2") -> Handoff:
    """Make ``lead`` an MQL and return the handoff that this opened."""
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.MQL, now=now, rule=rule)
    return Handoff.objects.select_related("lead", "holder", "team").get(
        lead=lead, closed_at__isnull=True
    )


def clock_of(handoff: Handoff, kind: str) -> Clock:
    """Read one clock of ``handoff`` from the database."""
    return Clock.objects.get(handoff=handoff, kind=kind)


def holder_of(handoff: Handoff) -> User:
    """Return who holds ``handoff``; a test that asks knows that somebody does."""
    handoff.refresh_from_db()
    assert handoff.holder is not None
    return handoff.holder


def overlapping(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """Call ``second`` while the transaction of ``first`` is open; return what both returned."""
    has_acted, may_end = Event(), Event()

    def act_first() -> Any:
        with transaction.atomic():
            try:
                return first()
            finally:
                has_acted.set()
                may_end.wait(timeout=20)

    with ThreadPoolExecutor(2) as pool:
        earlier = in_thread(pool, act_first)
        has_acted.wait(timeout=20)
        later = in_thread(pool, second)
        wait_until_blocked(later)
        may_end.set()
        return earlier.result(timeout=20), later.result(timeout=20)

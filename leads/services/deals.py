"""Recording what a lead turned into."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from crm.accounts.models import User
from leads.enums import DealOutcome, LifecycleStage
from leads.lifecycle import TRANSITIONS
from leads.models import Deal, Lead
from leads.services.stages import change_stage
from leads.signals import standing_changed


class DealAlreadyRecorded(Exception):
    """The system's deal number is known; a deal is counted once."""


class NothingToClose(Exception):
    """The deal contradicts the history of the lead; the message says how."""


@transaction.atomic
def close_deal(
    *, lead_id: int, outcome: DealOutcome, closed_at: datetime, now: datetime, **details: Any
) -> Deal:
    """Record a deal as a person tells it: one that contradicts the history is refused.

    Arguments as for ``record_deal``.

    Raises:
        NothingToClose: when it does.
    """
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    if problem := contradiction(lead, outcome=outcome, closed_at=closed_at, now=now):
        raise NothingToClose(f"{problem}.")
    return record_deal(lead_id=lead_id, outcome=outcome, closed_at=closed_at, now=now, **details)


@transaction.atomic
def record_deal(
    *,
    lead_id: int,
    outcome: DealOutcome,
    closed_at: datetime,
    now: datetime,
    actor: User | None = None,
    reason: str = "",
    value: Decimal | None = None,
    currency: str = "",
    **details: Any,
) -> Deal:
    """Keep a deal, and move the lead to WON or LOST on the day the deal closed when that fits.

    ``value`` is in ``currency`` (ISO 4217); ``reason`` goes to the stage history. ``details`` are
    further columns of Deal: ``owner``, ``owner_name``, ``company``, ``product``, ``system``,
    ``external_id``, ``attributes``. A deal that contradicts the history is kept with a flag that
    says why, and moves nothing.

    Raises:
        DealAlreadyRecorded: when ``system`` and ``external_id`` name a deal we have.
    """
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    deal = Deal(
        lead=lead,
        cycle=lead.cycle,
        outcome=outcome,
        closed_at=closed_at,
        value=value,
        currency=currency,
        created_at=now,
        flag=contradiction(lead, outcome=outcome, closed_at=closed_at, now=now),
        **details,
    )
    try:
        with transaction.atomic():
            deal.save(force_insert=True)
    except IntegrityError as error:
        if not Deal.objects.filter(system=deal.system, external_id=deal.external_id).exists():
            raise
        raise DealAlreadyRecorded(f"{deal.system}:{deal.external_id} is recorded") from error
    if not deal.flag:
        change_stage(
            lead_id=lead_id, to_stage=LifecycleStage(outcome), now=closed_at, actor=actor,
            rule="" if actor else "Deal recorded", reason=reason,
        )  # fmt: skip
    announce_customers([deal], now=now)
    return deal


def announce_customers(deals: Iterable[Deal], *, now: datetime) -> None:
    """Tell that the leads of whoever bought are leads of a customer now."""
    buyers = [deal.lead_id for deal in deals if deal.outcome == DealOutcome.WON]
    if buyers:
        companies = Lead.objects.filter(pk__in=buyers, company__isnull=False).values("company")
        concerned = Lead.objects.filter(Q(pk__in=buyers) | Q(company__in=companies))
        lead_ids = list(concerned.order_by("pk").values_list("pk", flat=True))
        standing_changed.send(sender=Lead, lead_ids=lead_ids, now=now)


def contradiction(lead: Lead, *, outcome: DealOutcome, closed_at: datetime, now: datetime) -> str:
    """Return why a deal does not fit the lead's history; empty when it does."""
    if closed_at < lead.created_at:
        return "Closed before the lead was captured"
    if closed_at > now:
        return "Closes in the future"
    if LifecycleStage(outcome) not in TRANSITIONS[LifecycleStage(lead.stage)]:
        return f"The lead was {LifecycleStage(lead.stage).label}, not SQL"
    if closed_at < lead.stage_since:
        return f"Closed before the lead became {LifecycleStage(lead.stage).label}"
    return ""

"""Reactions to facts announced by lower floors, inside their transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from crm.accounts.models import User
from crm.accounts.signals import stopped_selling
from handoff.services import (
    enforce_with_model,
    open_handoff,
    reroute_handoffs,
    tell_woken,
    withdraw_handoff,
)
from leads.enums import LifecycleStage
from leads.models import StageInterval
from leads.services import assign_lead
from leads.signals import leads_woken, stage_changed
from scoring.models import ScoringModel
from scoring.signals import model_published

_WITH_SALES = (LifecycleStage.MQL, LifecycleStage.SAL)
_WITH_MARKETING = (LifecycleStage.LEAD, LifecycleStage.RECYCLED, LifecycleStage.DISQUALIFIED)


@receiver(stage_changed, dispatch_uid="handoff.open_on_mql")
def open_on_mql(*, change: StageInterval, now: datetime, **_: Any) -> None:
    """Hand the lead over, and start the clocks, in the transaction that made it an MQL."""
    if change.stage == LifecycleStage.MQL:
        open_handoff(change=change, now=now)


@receiver(stage_changed, dispatch_uid="handoff.withdraw_on_leaving")
def withdraw_on_leaving(*, change: StageInterval, now: datetime, **_: Any) -> None:
    """Take back what sales no longer owes: the lead went on, or back, by another hand."""
    if change.stage not in _WITH_SALES:
        withdraw_handoff(
            lead_id=change.lead_id,
            because=f"{change.get_stage_display()} by {change.actor or change.rule or 'Baton'}",
            actor=change.actor,
            now=now,
            reason=change.reason,
        )


@receiver(stage_changed, dispatch_uid="handoff.release_on_return")
def release_on_return(*, change: StageInterval, **_: Any) -> None:
    """Give the lead back to marketing: nobody in sales holds it any more."""
    if change.stage in _WITH_MARKETING:
        assign_lead(lead_id=change.lead_id, owner=None, team=None)


@receiver(leads_woken, dispatch_uid="handoff.tell_of_waking")
def tell_of_waking(*, lead_ids: Sequence[int], now: datetime, **_: Any) -> None:
    """Tell marketing which of its recycled leads are to be looked at again."""
    tell_woken(lead_ids=lead_ids, now=now)


@receiver(stopped_selling, dispatch_uid="handoff.reroute_on_leaving")
def reroute_on_leaving(*, person: User, now: datetime, **_: Any) -> None:
    """Leave no buyer with somebody who can no longer call them."""
    reroute_handoffs(of=person, now=now)


@receiver(model_published, dispatch_uid="handoff.enforce_with_model")
def enforce_agreement(*, model: ScoringModel, now: datetime, **_: Any) -> None:
    """Switch to the agreement that holds the new MQL definition together with the model."""
    enforce_with_model(model=model, now=now)

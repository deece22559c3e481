"""Reactions to facts announced by lower floors, inside their transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from engagement.signals import events_absorbed, history_corrected, lead_captured
from leads.enums import LifecycleStage
from leads.models import StageInterval
from leads.signals import leads_changed, stage_changed, standing_changed
from scoring.services import close_review, mark_due, score_now, snapshot_move

#: Back in the funnel: engagement starts anew.
_RETURNS = frozenset({LifecycleStage.RECYCLED, LifecycleStage.LEAD})


@receiver(events_absorbed, dispatch_uid="scoring.mark_on_events")
def mark_on_events(*, lead_ids: Sequence[int], now: datetime, **_: Any) -> None:
    """New acts change engagement."""
    mark_due(lead_ids=lead_ids, now=now)


@receiver(lead_captured, dispatch_uid="scoring.score_on_capture")
def score_on_capture(*, lead_ids: Sequence[int], now: datetime, **_: Any) -> None:
    """Whoever sent a form is judged before the page after it is shown."""
    score_now(lead_ids=lead_ids, now=now)


@receiver(history_corrected, dispatch_uid="scoring.mark_on_corrections")
def mark_on_corrections(*, lead_ids: Sequence[int], now: datetime, **_: Any) -> None:
    """Acts that are taken back change engagement; they are no news of the lead."""
    mark_due(lead_ids=lead_ids, now=now, is_news=False)


@receiver(leads_changed, dispatch_uid="scoring.mark_on_attributes")
def mark_on_attributes(*, lead_ids: Sequence[int], now: datetime, **_: Any) -> None:
    """New attributes change fit, and may disqualify."""
    mark_due(lead_ids=lead_ids, now=now)


@receiver(standing_changed, dispatch_uid="scoring.mark_on_standing")
def mark_on_standing(*, lead_ids: Sequence[int], now: datetime, **_: Any) -> None:
    """A colleague's deal or a consent taken back may block a lead, and qualifies none."""
    mark_due(lead_ids=lead_ids, now=now, is_news=False)


@receiver(stage_changed, dispatch_uid="scoring.snapshot_on_move")
def snapshot_on_move(*, change: StageInterval, **_: Any) -> None:
    """Complete the move before floors above read it: apps connect in the order of the floors."""
    snapshot_move(change=change)


@receiver(stage_changed, dispatch_uid="scoring.close_review_on_return")
def close_review_on_return(*, change: StageInterval, from_stage: LifecycleStage, **_: Any) -> None:
    """Whoever brings a disqualified lead back has reviewed it."""
    if from_stage == LifecycleStage.DISQUALIFIED:
        close_review(change=change)


@receiver(stage_changed, dispatch_uid="scoring.mark_on_return")
def mark_on_return(*, change: StageInterval, now: datetime, **_: Any) -> None:
    """A lead that comes back is looked at anew; that it came back is no news of it."""
    if change.stage in _RETURNS:
        mark_due(lead_ids=[change.lead_id], now=now, is_news=False)

"""Moving a lead through the lifecycle."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm.accounts.models import User
from crm.common.instants import check_instant
from leads.enums import LifecycleStage
from leads.lifecycle import IllegalTransition, ScoreSnapshot, check_transition, cycle_after
from leads.models import Lead, StageInterval
from leads.signals import stage_changed

_MOVED = ("stage", "cycle", "stage_since", "wake_at", "wakes_on_act", "woken_at")


class OverrideNeedsReason(Exception):
    """A move outside the table was ordered without saying why."""

    def __init__(self) -> None:
        """Compose the sentence a person reads."""
        super().__init__("An override needs a reason")


class LeadIsMerged(IllegalTransition):
    """The lead is another one by now: that one can be moved."""

    def __init__(self, stage: LifecycleStage, to_stage: LifecycleStage, other: Lead) -> None:
        """Compose the sentence a person reads."""
        super().__init__(stage, to_stage)
        self.args = (f"It was merged into {other}",)


@transaction.atomic
def change_stage(
    *,
    lead_id: int,
    to_stage: LifecycleStage,
    now: datetime,
    actor: User | None = None,
    rule: str = "",
    reason: str = "",
    override: bool = False,
    snapshot: ScoreSnapshot | None = None,
    wake_at: datetime | None = None,
    wakes_on_act: bool = False,
) -> StageInterval:
    """Move a lead to ``to_stage``, record the move and announce it in the same transaction.

    ``override`` permits a move that the table forbids and marks it; a move that the table allows is
    never marked. ``wake_at`` is when a recycled lead is to be looked at again, with
    ``wakes_on_act`` by its first act if that comes earlier; any other move clears both. A move
    dated before the present stage began (a caller that waited for the lock) is dated at that
    beginning, so that history never runs backwards.

    Raises:
        IllegalTransition: when the table forbids the move and it is no override, or when the lead
            is in that stage already.
        LeadIsMerged: when it is no lead of its own any more.
        InstantInvalid: when ``wake_at`` lies outside of the years that are known.
        OverrideNeedsReason: when an override gives none.
    """
    if wake_at:
        check_instant(wake_at)
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    from_stage = LifecycleStage(lead.stage)
    if lead.merged_into:
        raise LeadIsMerged(from_stage, to_stage, lead.merged_into)
    is_override = _permit(from_stage, to_stage, override=override, reason=reason)
    current = lead.stage_intervals.current().get()
    moved_at = max(now, current.started_at)
    current.ended_at = moved_at
    current.save(update_fields=["ended_at"])
    change = StageInterval(
        lead=lead,
        sequence=current.sequence + 1,
        stage=to_stage,
        cycle=cycle_after(current.cycle, from_stage, to_stage),
        started_at=moved_at,
        actor=actor,
        rule=rule,
        reason=reason,
        is_override=is_override,
    )
    if snapshot:
        _freeze(change, snapshot)
    change.save(force_insert=True)
    lead.stage, lead.cycle, lead.stage_since, lead.wake_at = (
        to_stage,
        change.cycle,
        moved_at,
        wake_at,
    )
    lead.wakes_on_act, lead.woken_at = wakes_on_act, None
    lead.save(update_fields=_MOVED)
    stage_changed.send(sender=Lead, change=change, from_stage=from_stage, now=moved_at)
    return change


def freeze_score(*, change: StageInterval, snapshot: ScoreSnapshot) -> None:
    """Keep the score of this moment with a move that came without; in the transaction of it."""
    _freeze(change, snapshot)
    change.save(update_fields=["model_version", "fit_score", "engagement_score", "cell"])


def _permit(
    from_stage: LifecycleStage, to_stage: LifecycleStage, *, override: bool, reason: str
) -> bool:
    """Return whether the move is an override; raise when it may not be made."""
    try:
        check_transition(from_stage, to_stage)
    except IllegalTransition:
        if not override or from_stage is to_stage:
            raise
        if not reason:
            raise OverrideNeedsReason from None
        return True
    return False


def _freeze(change: StageInterval, snapshot: ScoreSnapshot) -> None:
    """Keep the score of this moment with the move."""
    change.model_version = snapshot.model_version
    change.fit_score = snapshot.fit_score
    change.engagement_score = snapshot.engagement_score
    change.cell = snapshot.cell

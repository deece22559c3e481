"""What sales has in hand of a lead that is merged into another one, or parted again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handoff.models import Handoff
from handoff.models.handoff import HandoffQuerySet
from handoff.services.opening import open_handoff, withdraw_handoff
from handoff.services.routing import route_alone
from leads.enums import LifecycleStage
from leads.merging import Follower, Kept
from leads.models import Lead, LeadMerge
from leads.services import change_stage


def withdraw_merged(merge: LeadMerge, now: datetime) -> Kept:
    """Withdraw the open handoff of the merged lead: the survivor's goes on as it was."""
    handoff = withdraw_handoff(
        lead_id=merge.merged_id,
        because=f"Merged into {merge.survivor} by {merge.merged_by}",
        actor=merge.merged_by,
        now=now,
        reason=f"The handoff of {merge.survivor} goes on.",
    )
    return {"handoff": handoff.pk} if handoff else {}


def reopen_merged(merge: LeadMerge, now: datetime) -> None:
    """Hand the lead over anew where the merge had withdrawn its handoff and sales still owes one.

    With new deadlines: nobody is late by a promise that did not run meanwhile. A lead that was
    accepted already is to be accepted again.
    """
    if "handoff" not in merge.followed["handoff"]:
        return
    stage = LifecycleStage(Lead.objects.get(pk=merge.merged_id).stage)
    if stage is LifecycleStage.SAL:
        change_stage(
            lead_id=merge.merged_id, to_stage=LifecycleStage.MQL, now=now, actor=merge.undone_by,
            reason="The merge was taken back", override=True,
        )  # fmt: skip
    elif stage is LifecycleStage.MQL:
        interval = merge.merged.stage_intervals.current().get()
        open_handoff(change=interval, now=now)


def consequence(survivor: Lead, merged: Lead) -> str:
    """Say what becomes of two open handoffs."""
    handoff, other = _open_of(merged.pk).first(), _open_of(survivor.pk).first()
    if handoff is None or other is None:
        return ""
    return (
        f"The handoff of {merged} {_whose(handoff)} is withdrawn, which is no breach; that of"
        f" {survivor} {_whose(other)} goes on with its deadlines."
    )


def objection(survivor: Lead, merged: Lead) -> str:
    """Say that sales works with the lead that would go."""
    open_of = set(Handoff.objects.open().filter(lead__in=[survivor, merged]).values_list("lead"))
    if open_of != {(merged.pk,)}:
        return ""
    return f"Sales works with {merged}: keep that lead."


def _route_first(_lead_ids: Sequence[int]) -> None:
    """Wait for routing before the leads are held, as whoever reroutes does."""
    route_alone()


def _open_of(lead_id: int) -> HandoffQuerySet:
    return Handoff.objects.open().select_related("lead", "holder").filter(lead=lead_id)


def _whose(handoff: Handoff) -> str:
    return f"with {handoff.holder}" if handoff.holder else "in the pool"


HANDOFFS = Follower(
    "handoff",
    40,
    withdraw_merged,
    reopen_merged,
    consequence=consequence,
    objection=objection,
    before_undo=_route_first,
)

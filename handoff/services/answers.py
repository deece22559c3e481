"""What a rep answers to a handoff: accept, reject, take from the pool, snooze."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.db import transaction

from crm.accounts.enums import NewsKind
from crm.accounts.models import User
from crm.common.instants import plan_problem
from crm.common.notifications import notify
from handoff.enums import ClockKind, HandoffState, RejectionReason
from handoff.models import Handoff
from handoff.policy import WAKE_AFTER_REJECTION, WAY_OUT
from handoff.services.clocks import stop_clock
from handoff.services.closing import close_handoff
from handoff.services.holders import take_hold
from handoff.services.locking import HandoffClosed, HandoffTaken, lock_for
from handoff.services.people import marketers_of
from leads.enums import LifecycleStage
from leads.services import change_stage

#: How many waiting handoffs one click tries when others are faster. Our choice.
TRIES = 20


class HandoffNotOffered(Exception):
    """The handoff was accepted before; it ends with a verdict now, not with a rejection."""


class SnoozeInvalid(ValueError):
    """A snooze that cannot be kept; ``field`` names what is wrong."""

    def __init__(self, field: str, problem: str) -> None:
        """Keep the field beside the sentence, for the form."""
        super().__init__(problem)
        self.field = field


@transaction.atomic
def accept_handoff(*, handoff_id: int, rep: User, now: datetime) -> Handoff:
    """Let ``rep`` take on the MQL; accepting from the pool also takes it out of the pool.

    Accepting what one has accepted already changes nothing.

    Raises:
        CannotHold: it is in the pool, and ``rep`` is no sales rep.
        HandoffClosed: it is no longer open.
        HandoffTaken: it is in the hands of somebody else.
    """
    handoff = lock_for(handoff_id, rep)
    if handoff.holder_id not in (None, rep.pk):
        raise HandoffTaken(f"{handoff.lead.display_name} is in other hands.")
    record_acceptance(handoff, rep=rep, now=now, evidence_at=now)
    return handoff


def record_acceptance(handoff: Handoff, *, rep: User, now: datetime, evidence_at: datetime) -> None:
    """Write that sales took the MQL on, unless that is written already. ``handoff`` is locked.

    What was in the pool is ``rep``'s from now on.

    Args:
        handoff: An open handoff.
        rep: Who accepted.
        now: The moment of writing.
        evidence_at: When sales acted: the click itself, or a call that says more than a click.

    Raises:
        CannotHold: it is in the pool, and ``rep`` is no sales rep.
    """
    take_hold(handoff, rep, now=now)
    if handoff.state == HandoffState.OFFERED:
        handoff.state = HandoffState.ACCEPTED
        handoff.accepted_at = now
        stop_clock(handoff, ClockKind.ACCEPT, at=evidence_at)
        if handoff.lead.stage == LifecycleStage.MQL:
            change_stage(lead_id=handoff.lead_id, to_stage=LifecycleStage.SAL, now=now, actor=rep)
    handoff.save(update_fields=["state", "accepted_at", "holder", "team"])


@transaction.atomic
def reject_handoff(
    *, handoff_id: int, rep: User, reason: RejectionReason, now: datetime, note: str = ""
) -> Handoff:
    """Reject the MQL: an answer, so it stops the accept clock; what else ran is withdrawn.

    Marketing hears of it, the owner of the lead's source first of all.
    ``handoff.policy.WAY_OUT`` says which reasons send the lead back to nurture and which end it.

    Raises:
        HandoffClosed: it is no longer open.
        HandoffTaken: it is in the hands of somebody else.
        HandoffNotOffered: it was accepted before.
    """
    handoff = lock_for(handoff_id, rep)
    if handoff.state != HandoffState.OFFERED:
        raise HandoffNotOffered(
            f"{handoff.lead.display_name} was accepted: record a BANT verdict instead."
        )
    stop_clock(handoff, ClockKind.ACCEPT, at=now)
    handoff.rejection_reason = reason
    handoff.rejection_note = note
    close_handoff(
        handoff, HandoffState.REJECTED, now=now, fields=["rejection_reason", "rejection_note"]
    )
    stage = WAY_OUT[reason]
    wakes = stage is LifecycleStage.RECYCLED
    change_stage(
        lead_id=handoff.lead_id,
        to_stage=stage,
        now=now,
        actor=rep,
        rule="Rejected by sales",
        reason=f"{reason.label}: {note}"[:200] if note else reason.label,
        wake_at=now + WAKE_AFTER_REJECTION if wakes else None,
    )
    _tell_marketing(handoff, rep, now)
    return handoff


def _tell_marketing(handoff: Handoff, rep: User, now: datetime) -> None:
    """Tell who owns the source of the lead why sales did not want it."""
    reason, note = handoff.get_rejection_reason_display(), handoff.rejection_note
    notify(
        kind=NewsKind.HANDOFF,
        recipients=[each for each in marketers_of(handoff.lead.source) if each != rep],
        key=f"handoff:{handoff.pk}:rejected",
        title=f"Rejected: {handoff.lead.display_name}",
        body=f"By {rep.full_name}: {reason}. {note}".strip(),
        url=handoff.get_absolute_url(),
        icon="undo-2",
        topic=f"handoff:{handoff.pk}",
        now=now,
    )


def take_from_pool(*, rep: User, now: datetime) -> Handoff | None:
    """Give ``rep`` the longest waiting handoff of their team's pool and accept it; None: none left.

    Of two reps who ask at once, the second waits for the first and gets the next one.
    """
    for handoff_id in list(Handoff.objects.in_pool_of(rep).values_list("pk", flat=True)[:TRIES]):
        with suppress(HandoffTaken, HandoffClosed):
            return accept_handoff(handoff_id=handoff_id, rep=rep, now=now)
    return None


@transaction.atomic
def snooze_handoff(
    *, handoff_id: int, rep: User, until: datetime, reason: str, now: datetime
) -> Handoff:
    """Put the handoff aside until the buyer's next move. No clock stops: only evidence does that.

    What was in the pool is ``rep``'s from now on: it comes back to them.

    Raises:
        CannotHold: it is in the pool, and ``rep`` is no sales rep.
        HandoffClosed: it is no longer open.
        HandoffTaken: it is in the hands of somebody else.
        SnoozeInvalid: no reason, or a time that has passed or is more than two years away.
    """
    if problem := plan_problem(until, now=now):
        raise SnoozeInvalid("until", problem)
    if not reason.strip():
        raise SnoozeInvalid("reason", "Say what the buyer is waited for.")
    handoff = lock_for(handoff_id, rep)
    take_hold(handoff, rep, now=now)
    handoff.snoozed_until = until
    handoff.snooze_reason = reason.strip()
    handoff.save(update_fields=["snoozed_until", "snooze_reason", "holder", "team"])
    return handoff

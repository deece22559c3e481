"""Logging that sales acted: the evidence that stops clocks."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm.accounts.models import User
from handoff.enums import Approval, ClockKind, HandoffState, TouchChannel, TouchOutcome
from handoff.evidence import CONNECTED, check_evidence, is_backdated
from handoff.models import Handoff, Touch
from handoff.services.answers import record_acceptance
from handoff.services.clocks import stop_clock
from handoff.services.locking import lock_for


@transaction.atomic
def log_touch(
    *,
    handoff_id: int,
    rep: User,
    channel: TouchChannel,
    outcome: TouchOutcome,
    occurred_at: datetime,
    now: datetime,
    note: str = "",
) -> Touch:
    """Keep the touch; it stops the first-touch clock at the moment at which it happened.

    Who touches an offered lead has taken it on, so the accept clock stops too. A touch written down
    late is kept and marked, counts as an attempt, and proves nothing about the deadline until a
    manager approves it: the accept clock then stops at ``now``, the first-touch clock runs on. Any
    touch ends a snooze.

    Raises:
        CannotHold: it is in the pool, and ``rep`` is no sales rep.
        EvidenceRefused: from the future, from before the handoff, or an impossible outcome.
        HandoffClosed: it is no longer open.
        HandoffTaken: it is in the hands of somebody else.
    """
    handoff = lock_for(handoff_id, rep)
    check_evidence(
        channel=channel,
        outcome=outcome,
        occurred_at=occurred_at,
        recorded_at=now,
        opened_at=handoff.opened_at,
    )
    is_late = is_backdated(occurred_at=occurred_at, recorded_at=now)
    touch = Touch.objects.create(
        handoff=handoff,
        rep=rep,
        channel=channel,
        outcome=outcome,
        occurred_at=occurred_at,
        recorded_at=now,
        is_backdated=is_late,
        approval=Approval.PENDING if is_late else "",
        note=note,
    )
    _credit(handoff, touch)
    return touch


def _credit(handoff: Handoff, touch: Touch) -> None:
    """Let ``touch`` count for what it proves. ``handoff`` is held."""
    at, now = touch.occurred_at, touch.recorded_at
    evidence_at = now if touch.is_backdated else at
    record_acceptance(handoff, rep=touch.rep, now=now, evidence_at=evidence_at)
    if not touch.is_backdated:
        stop_clock(handoff, ClockKind.FIRST_TOUCH, at=at)
        date_touch(handoff, touch)
    handoff.state = HandoffState.WORKING
    handoff.attempts += 1
    handoff.snoozed_until = None
    handoff.save(update_fields=["state", "attempts", "snoozed_until"])


def date_touch(handoff: Handoff, touch: Touch) -> None:
    """Write when the buyer was first tried, and first reached, as far as ``touch`` proves it."""
    at = touch.occurred_at
    handoff.first_touch_at = min(at, handoff.first_touch_at or at)
    if touch.outcome in CONNECTED:
        handoff.connected_at = min(at, handoff.connected_at or at)
    handoff.save(update_fields=["first_touch_at", "connected_at"])

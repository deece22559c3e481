"""Measuring open handoffs by the agreement in force instead of the one they are pinned to.

A new version changes nothing that is open; only this act does, after its preview was seen. It moves
deadlines that are still to come, never into the past: what is late stays late, and nobody is late
by a promise that was not made when the lead was handed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from crm.accounts.enums import NewsKind
from crm.accounts.models import User
from crm.common.notifications import notify
from handoff.business_hours import NoOpening
from handoff.enums import ClockKind, DecisionKind
from handoff.models import (
    LONGEST_RULE,
    Agreement,
    AssignmentDecision,
    Clock,
    Handoff,
    HandoffQuerySet,
    SlaTier,
)
from handoff.policy import Targets
from handoff.services.clocks import entrust, new_clock
from handoff.services.locking import HandoffClosed, lock_handoff
from handoff.services.opening import choose_tier, targets_of

#: So many are shown, and changed by one click. Our choice.
MOST_AT_ONCE = 200

_TIMES = (
    "target", "first_warning_at", "at_risk_at", "last_warning_at", "due_at", "escalate_at",
    "alarm", "alarm_at", "reassign_at", "answerable",
)  # fmt: skip


class RebaseRefused(Exception):
    """Another agreement is in force than the one whose preview was seen."""


@dataclass(frozen=True, slots=True)
class Move:
    """One deadline that would move: ``clock`` as it is, and when it would be due."""

    clock: Clock
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Rebase:
    """What would change of one open handoff: nothing of deadlines that are late already.

    Of the others not the due time alone may differ: ``clocks`` are as they become, whether or not
    they are among ``moves``.
    """

    handoff: Handoff
    tier: SlaTier | None
    moves: Sequence[Move]
    clocks: Sequence[Clock]


def to_rebase(agreement: Agreement) -> HandoffQuerySet:
    """Return the open handoffs that are pinned to another version, or to none, the oldest first."""
    return Handoff.objects.open().exclude(agreement=agreement).order_by("opened_at", "id")


def preview_rebase(agreement: Agreement, *, now: datetime) -> list[Rebase]:
    """Return what measuring by ``agreement`` would change; writes nothing."""
    found = to_rebase(agreement).select_related("lead", "calendar", "agreement", "tier", "holder")
    return [_rebase(each, agreement, now) for each in found.defer("brief")[:MOST_AT_ONCE]]


def rebase_handoffs(*, version: int, actor: User, now: datetime) -> int:
    """Measure the oldest open handoffs by agreement ``version``, each in its own transaction.

    Returns:
        How many were changed; ``MOST_AT_ONCE`` means that more may be left.

    Raises:
        RebaseRefused: ``version`` is not the one in force.
    """
    agreement = Agreement.objects.in_force(now).first()
    if agreement is None or agreement.version != version:
        raise RebaseRefused("Another agreement is in force by now: look at the preview again.")
    handoff_ids = list(to_rebase(agreement).values_list("pk", flat=True)[:MOST_AT_ONCE])
    changed = 0
    for handoff_id in handoff_ids:
        with suppress(HandoffClosed):
            changed += _rebase_one(handoff_id, agreement, actor, now)
    return changed


@transaction.atomic
def _rebase_one(handoff_id: int, agreement: Agreement, actor: User, now: datetime) -> bool:
    """Say whether the handoff was changed: not if somebody else was faster."""
    handoff = lock_handoff(handoff_id)
    if handoff.agreement_id == agreement.pk:
        return False
    rebase = _rebase(handoff, agreement, now)
    handoff.save(update_fields=["agreement", "tier"])
    entrust(rebase.clocks, handoff)
    Clock.objects.bulk_update(rebase.clocks, _TIMES)
    AssignmentDecision.objects.create(
        handoff=handoff,
        kind=DecisionKind.REBASED,
        rule=f"Deadlines by {agreement}, re-based by {actor.full_name}"[:LONGEST_RULE],
        candidates=[_line(handoff, rebase)],
        chosen=handoff.holder,
        decided_at=now,
    )
    if rebase.moves and handoff.holder is not None and handoff.holder != actor:
        _tell_moved(rebase, handoff.holder, f"By {agreement}, {actor.full_name}.", now)
    return True


def _tell_moved(rebase: Rebase, holder: User, by: str, now: datetime) -> None:
    handoff = rebase.handoff
    zone = handoff.calendar.hours.timezone
    due = [
        (ClockKind(each.clock.kind).label, each.due_at.astimezone(zone)) for each in rebase.moves
    ]
    said = ", ".join(f"{name} due {at:%a} {at.day} {at:%b %H:%M %Z}" for name, at in due)
    notify(
        kind=NewsKind.DEADLINE,
        recipients=[holder],
        key=f"handoff:{handoff.pk}:rebased:{handoff.agreement_id}",
        title=f"Deadlines moved: {handoff.lead.display_name}",
        body=f"{said}. {by}",
        url=handoff.get_absolute_url(),
        icon="calendar-clock",
        topic=f"handoff:{handoff.pk}",
        now=now,
    )


def _rebase(handoff: Handoff, agreement: Agreement, now: datetime) -> Rebase:
    """Pin ``handoff`` to ``agreement``, unsaved; return what moves, and the clocks as they become.

    A clock is counted anew from where it started, unless its calendar ends before; alarms that the
    new times have passed already are taken by the next sweep.
    """
    is_fast_track = handoff.is_fast_track
    tier = choose_tier(agreement, handoff.lead, is_fast_track=is_fast_track, now=now)
    handoff.agreement, handoff.tier = agreement, tier
    targets = targets_of(tier, is_fast_track=is_fast_track)
    moves, changed = [], []
    to_come = handoff.clocks.running().filter(due_at__gte=now, breached_at__isnull=True)
    for clock in to_come.order_by("due_at", "id"):
        anew = _counted_anew(clock, handoff, targets)
        if anew is None or anew.due_at < now:
            continue
        if anew.due_at != clock.due_at:
            moves.append(Move(clock, anew.due_at))
        anew.pk = clock.pk
        changed.append(anew)
    return Rebase(handoff, tier, moves, changed)


def _counted_anew(clock: Clock, handoff: Handoff, targets: Targets) -> Clock | None:
    """Return what ``clock`` becomes; None where the hours it is pinned to open too little."""
    kind = ClockKind(clock.kind)
    try:
        return new_clock(handoff, kind, targets[kind])
    except NoOpening:
        return None


def _line(handoff: Handoff, rebase: Rebase) -> dict[str, object]:
    names = [ClockKind(move.clock.kind).label for move in rebase.moves]
    return {
        "user": handoff.holder_id,
        "name": handoff.holder.full_name if handoff.holder else "Pool",
        "chosen": True,
        "reason": f"Moved: {', '.join(names)}" if names else "No deadline moved",
    }

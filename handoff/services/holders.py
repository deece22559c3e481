"""Who holds a handoff, written in its three places at once: handoff, interval, lead."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.models import Clock, Handoff, HolderInterval
from handoff.services.clocks import lapses_at
from leads.services import assign_lead


class CannotHold(ValueError):
    """The person cannot be given handoffs: not a rep, or no longer active."""


def hand_to(handoff: Handoff, holder: User | None, *, now: datetime) -> None:
    """Make ``holder`` (None: the pool) answerable from ``now``; the caller saves ``handoff``.

    Clocks that fell due before stay with whoever let them.

    Raises:
        CannotHold: ``holder`` is not an active rep.
    """
    if holder is not None and not (holder.is_active and holder.has_role(Role.REP)):
        raise CannotHold(f"{holder.full_name} is not an active sales rep.")
    since = end_holding(handoff, now=now)
    handoff.holder = holder
    if holder is not None and holder.sales_team is not None:
        handoff.team = holder.sales_team
    _hand_clocks_to(handoff, since=since)
    HolderInterval.objects.create(handoff=handoff, holder=holder, started_at=since)
    assign_lead(lead_id=handoff.lead_id, owner=holder, team=handoff.team)


def _hand_clocks_to(handoff: Handoff, *, since: datetime) -> None:
    """Make the holder answerable for what is not due yet, with time of their own to act."""
    running = list(handoff.clocks.running())
    for clock in running:
        if clock.due_at >= since:
            clock.answerable = handoff.holder
        clock.reassign_at = lapses_at(clock, handoff, since=since)
    Clock.objects.bulk_update(running, ["answerable", "reassign_at"])


def take_hold(handoff: Handoff, rep: User, *, now: datetime) -> None:
    """Make ``rep``, who works on what nobody holds, answerable for it; the caller saves.

    Raises:
        CannotHold: ``rep`` is not an active rep.
    """
    if handoff.holder_id is None:
        hand_to(handoff, rep, now=now)


def end_holding(handoff: Handoff, *, now: datetime) -> datetime:
    """Close the interval of whoever holds the handoff and return its end.

    That is ``now``, or the start of the interval for a caller who read the clock and then waited
    for the row while somebody else wrote it.
    """
    current = handoff.holders.filter(ended_at__isnull=True).first()
    if current is None:
        return now
    current.ended_at = max(now, current.started_at)
    current.save(update_fields=["ended_at"])
    return current.ended_at

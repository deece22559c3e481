"""Who holds a handoff, written in its three places at once: handoff, interval, lead."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.models import User
from handoff.models import Handoff, HolderInterval
from leads.services import assign_lead


def hand_to(handoff: Handoff, holder: User | None, *, now: datetime) -> None:
    """Make ``holder`` (None: the pool) answerable from ``now``; the caller saves ``handoff``.

    Clocks that fell due before stay with whoever let them.
    """
    since = end_holding(handoff, now=now)
    handoff.holder = holder
    if holder is not None and holder.sales_team is not None:
        handoff.team = holder.sales_team
    handoff.clocks.running().filter(due_at__gte=since).update(answerable=holder)
    HolderInterval.objects.create(handoff=handoff, holder=holder, started_at=since)
    assign_lead(lead_id=handoff.lead_id, owner=holder, team=handoff.team)


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

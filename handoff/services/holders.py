"""Who holds a handoff, written in its three places at once: handoff, interval, lead."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.models import Clock, Handoff, HolderInterval, WorkCalendar
from handoff.services.calendars import calendar_of
from handoff.services.clocks import entrust
from leads.services import assign_lead


class CannotHold(ValueError):
    """The person cannot be given handoffs: not a rep, or no longer active."""


def check_can_hold(person: User) -> None:
    """Return when ``person`` can be given leads.

    Raises:
        CannotHold: ``person`` is not an active rep.
    """
    if not (person.is_active and person.has_role(Role.REP)):
        raise CannotHold(f"{person.full_name} is not an active sales rep: choose one.")


def hand_to(handoff: Handoff, holder: User | None, *, now: datetime) -> None:
    """Put ``handoff`` into the hands of ``holder`` (None: the pool); the caller saves it.

    Its clocks run on. Each is answered for by whoever has most of its time, see ``entrust``.

    Raises:
        CannotHold: ``holder`` is not an active rep.
    """
    if holder is not None:
        check_can_hold(holder)
    since = end_holding(handoff, now=now)
    handoff.holder = holder
    if holder is not None and holder.sales_team is not None:
        handoff.team = holder.sales_team
    HolderInterval.objects.create(
        handoff=handoff, holder=holder, started_at=since, calendar=_own_hours(handoff)
    )
    if running := list(handoff.clocks.running()):
        entrust(running, handoff)
        Clock.objects.bulk_update(running, ["answerable", "reassign_at"])
    assign_lead(lead_id=handoff.lead_id, owner=holder, team=handoff.team)


def _own_hours(handoff: Handoff) -> WorkCalendar | None:
    """Return the calendar of the holder where it is another one than that of the handoff."""
    if handoff.holder is None:
        return None
    own = calendar_of(handoff.team, handoff.holder)
    return None if own == handoff.calendar else own


def take_hold(handoff: Handoff, rep: User, *, now: datetime) -> None:
    """Give ``rep`` what they work on and nobody holds; the caller saves.

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

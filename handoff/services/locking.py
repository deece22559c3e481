"""Taking hold of one handoff: the lead's row first, then the handoff's, as the lifecycle does.

A stage change holds the lead when it withdraws a handoff; answers that took the two rows the other
way round would wait for it while it waits for them.
"""

from __future__ import annotations

from crm.accounts.models import User
from handoff.models import Handoff
from leads.models import Lead


class HandoffTaken(Exception):
    """Somebody else was faster: the handoff is in other hands."""


class HandoffClosed(Exception):
    """The handoff has its verdict already, or the lead was taken out of the hands of sales."""


def lock_handoff(handoff_id: int) -> Handoff:
    """Return the open handoff, with its row and its lead's held until the transaction ends.

    Raises:
        HandoffClosed: it is no longer open.
    """
    handoff = lock_any(handoff_id)
    if not handoff.is_open:
        raise HandoffClosed(f"{handoff.lead.display_name}: this handoff is closed.")
    return handoff


def lock_any(handoff_id: int) -> Handoff:
    """Return the handoff, open or closed, held like an open one."""
    Lead.objects.select_for_update(of=("self",), no_key=True).get(handoffs=handoff_id)
    return (
        Handoff.objects.select_for_update(of=("self",), no_key=True)
        .select_related("lead", "agreement", "calendar", "team", "holder")
        .get(pk=handoff_id)
    )


def lock_for(handoff_id: int, rep: User) -> Handoff:
    """Return the open handoff, held, provided that ``rep`` may act on it.

    Raises:
        HandoffClosed: it is no longer open.
        HandoffTaken: it is in the hands of somebody else.
    """
    handoff = lock_handoff(handoff_id)
    if not handoff.is_workable_by(rep):
        raise HandoffTaken(f"{handoff.lead.display_name} is in other hands.")
    return handoff

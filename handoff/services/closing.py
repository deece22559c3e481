"""The end of a handoff, whichever way it came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handoff.enums import HandoffState
from handoff.models import Handoff
from handoff.services.clocks import withdraw_clocks
from handoff.services.holders import end_holding


def close_handoff(
    handoff: Handoff, state: HandoffState, *, now: datetime, fields: Sequence[str] = ()
) -> None:
    """Close ``handoff`` as ``state``: no clock runs on, nobody is answerable any more.

    ``holder`` stays, as who had it last. Close before moving the lead: the receiver of the move
    withdraws whatever is still open then.

    Args:
        handoff: Held by the caller.
        state: One of the closed states.
        now: The moment of the answer.
        fields: Names of further fields that the caller has set and that are saved along.
    """
    withdraw_clocks(handoff, at=now)
    end_holding(handoff, now=now)
    handoff.state = state
    handoff.closed_at = now
    handoff.snoozed_until = None
    handoff.save(update_fields=["state", "closed_at", "snoozed_until", *fields])

"""Giving an open handoff to somebody else."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.notifications import notify
from handoff.models import AssignmentDecision, Handoff
from handoff.services.holders import hand_to
from handoff.services.locking import lock_for


class CannotHold(ValueError):
    """The person cannot be given handoffs: not a rep, or no longer active."""


@transaction.atomic
def reassign_handoff(
    *, handoff_id: int, to: User, actor: User, reason: str, now: datetime
) -> Handoff:
    """Put the handoff into the hands of ``to``. Its clocks run on: the buyer has waited all along.

    Raises:
        CannotHold: ``to`` is not an active rep.
        HandoffClosed: it is no longer open.
        HandoffTaken: ``actor`` may not act on it.
    """
    if not to.is_active or not to.has_role(Role.REP):
        raise CannotHold(f"{to.full_name} is not an active sales rep.")
    handoff = lock_for(handoff_id, actor)
    former = handoff.holder
    if former == to:
        return handoff
    hand_to(handoff, to, now=now)
    handoff.save(update_fields=["holder", "team"])
    line = {"user": to.pk, "name": to.full_name, "chosen": True, "reason": reason}
    AssignmentDecision.objects.create(
        handoff=handoff,
        rule=f"Reassigned by {actor.full_name}",
        candidates=[line],
        chosen=to,
        decided_at=now,
    )
    for person, title in ((to, "Handed to you"), (former, "No longer yours")):
        if person is not None and person != actor:
            notify(
                recipients=[person],
                key=f"handoff:{handoff.pk}:reassigned:{now:%Y%m%dT%H%M%S}",
                title=f"{title}: {handoff.lead.display_name}",
                body=f"By {actor.full_name}. {reason}".strip(),
                url=handoff.get_absolute_url(),
                icon="arrow-left-right",
                topic=f"handoff:{handoff.pk}",
                now=now,
            )
    return handoff

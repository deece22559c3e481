"""The last thing that happened between a lead and the company, for many handoffs at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.accounts.models import User
from engagement import history
from handoff.models import Handoff, Touch


@dataclass(frozen=True, slots=True)
class LastAct:
    """What happened last, by the lead or by sales, and when."""

    at: datetime
    title: str


def last_acts(handoffs: Sequence[Handoff], viewer: User, now: datetime) -> Mapping[int, LastAct]:
    """Return the last act per handoff id; ``touches`` must be prefetched."""
    of_leads = history.last_acts([handoff.lead_id for handoff in handoffs], viewer, now)
    found: dict[int, LastAct] = {}
    for handoff in handoffs:
        acts = [_of_touch(touch) for touch in handoff.touches.all()]
        if act := of_leads.get(handoff.lead_id):
            acts.append(LastAct(act.occurred_at, act.title))
        if acts:
            found[handoff.pk] = max(acts, key=lambda each: each.at)
    return found


def _of_touch(touch: Touch) -> LastAct:
    channel, outcome = touch.get_channel_display(), touch.get_outcome_display().lower()
    return LastAct(touch.occurred_at, f"{channel}, {outcome}")

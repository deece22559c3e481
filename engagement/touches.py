"""What brought leads: the first arrival, the last, and the last before a moment. Batched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.sql import SQL

from crm.accounts.models import User
from crm.common.prepared import prepared
from engagement.attribution import Touch
from engagement.enums import Actor
from leads.models import Lead
from leads.normalise import source_label

_FIND = """
    SELECT asked.lead_id, arrival.touch::text, arrival.occurred_at
    FROM unnest($1::bigint[], $2::timestamptz[]) AS asked (lead_id, until)
    CROSS JOIN LATERAL (
        SELECT touch, occurred_at FROM engagement_event event
        WHERE event.lead_id = asked.lead_id AND event.actor = $3 AND event.touch <> '{{}}'
            AND event.occurred_at <= asked.until
        ORDER BY occurred_at {order} LIMIT 1
    ) AS arrival
"""
_FIRST, _LAST = SQL(_FIND.format(order="ASC")), SQL(_FIND.format(order="DESC"))
#: Media by the word that is read; the others as ``source_label`` spells them.
_MEDIA = {
    "cpc": "paid search", "ai": "AI assistant", "email": "e-mail", "paid_social": "paid social",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrival:
    """What brought a lead, and when."""

    touch: Touch
    at: datetime

    def __str__(self) -> str:
        """Return ``Google, paid search``."""
        medium = self.touch.medium
        words = _MEDIA.get(medium, medium.replace("_", " "))
        # the host of a referral is a name, whose dots and case are its own
        source = self.touch.source if "." in self.touch.source else source_label(self.touch.source)
        return ", ".join(filter(None, [source, words])) or "Unknown"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The first and the last arrival of a lead; the same when there was one."""

    first: Arrival
    last: Arrival


def touch_before(moments: Mapping[int, datetime]) -> dict[int, Arrival]:
    """Return what brought each lead last, up to its moment; leads nothing is known of are missing.

    What machines did brings nobody.
    """
    return _arrivals(_LAST, moments.keys(), moments.values())


def arrivals_of(lead_ids: Sequence[int], viewer: User, now: datetime) -> Mapping[int, Arrivals]:
    """Return first and last arrival of leads up to ``now``; a column's ``load``."""
    del viewer
    first = first_touches(lead_ids, now)
    last = touch_before(dict.fromkeys(first, now)) if first else {}
    return {lead_id: Arrivals(first[lead_id], last[lead_id]) for lead_id in first}


def first_touches(lead_ids: Sequence[int], now: datetime) -> dict[int, Arrival]:
    """Return what brought each lead first, up to ``now``; leads nothing is known of are missing."""
    return _arrivals(_FIRST, lead_ids, [now] * len(lead_ids))


def arrivals_panel(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return what brought a lead, None when nothing is known; a panel's ``load``."""
    arrivals = arrivals_of([lead.pk], viewer, now).get(lead.pk)
    return {"arrivals": arrivals} if arrivals else None


def _arrivals(
    query: SQL, lead_ids: Iterable[int], moments: Iterable[datetime]
) -> dict[int, Arrival]:
    found = prepared(query, [list(lead_ids), list(moments), Actor.HUMAN.value])
    return {
        row["lead_id"]: Arrival(Touch.from_json(json.loads(row["touch"])), row["occurred_at"])
        for row in found
    }

"""What brought leads: the first arrival, the last, and the last before a moment. Batched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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

_ARRIVAL = """
    CROSS JOIN LATERAL (
        SELECT touch::text, occurred_at FROM engagement_event event
        WHERE event.lead_id = asked.lead_id AND event.actor = $3 AND event.touch <> '{{}}'
            AND event.occurred_at <= asked.until
        ORDER BY occurred_at {order} LIMIT 1
    ) AS {name}
"""
_ASKED = "FROM unnest($1::bigint[], $2::timestamptz[]) AS asked (lead_id, until)"
_FIRST = _ARRIVAL.format(order="ASC", name="first")
_LAST = _ARRIVAL.format(order="DESC", name="last")
_FIND_FIRST = SQL(f"SELECT asked.lead_id, first.* {_ASKED} {_FIRST}")
_FIND_LAST = SQL(f"SELECT asked.lead_id, last.* {_ASKED} {_LAST}")
_FIND_BOTH = SQL(
    "SELECT asked.lead_id, first.*, last.touch AS last_touch, last.occurred_at AS last_at"
    f" {_ASKED} {_FIRST} {_LAST}"
)
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
    return _arrivals(_FIND_LAST, moments)


def first_touches(lead_ids: Sequence[int], now: datetime) -> dict[int, Arrival]:
    """Return what brought each lead first, up to ``now``; leads nothing is known of are missing."""
    return _arrivals(_FIND_FIRST, dict.fromkeys(lead_ids, now))


def arrivals_of(lead_ids: Sequence[int], viewer: User, now: datetime) -> Mapping[int, Arrivals]:
    """Return first and last arrival of leads up to ``now``; a column's ``load``."""
    del viewer
    return {
        row["lead_id"]: Arrivals(
            _arrival(row["touch"], row["occurred_at"]), _arrival(row["last_touch"], row["last_at"])
        )
        for row in _found(_FIND_BOTH, dict.fromkeys(lead_ids, now))
    }


def arrivals_panel(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return what brought a lead, None when nothing is known; a panel's ``load``."""
    arrivals = arrivals_of([lead.pk], viewer, now).get(lead.pk)
    return {"arrivals": arrivals} if arrivals else None


def _arrivals(query: SQL, moments: Mapping[int, datetime]) -> dict[int, Arrival]:
    found = _found(query, moments)
    return {row["lead_id"]: _arrival(row["touch"], row["occurred_at"]) for row in found}


def _found(query: SQL, moments: Mapping[int, datetime]) -> Sequence[Mapping[str, Any]]:
    return prepared(query, [list(moments), list(moments.values()), Actor.HUMAN.value])


def _arrival(touch: str, at: datetime) -> Arrival:
    return Arrival(Touch.from_json(json.loads(touch)), at)

"""Buying acts that make an MQL at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from psycopg.sql import SQL

from engagement.enums import Actor, EventKind
from scoring.definition import Definition, FastTrack
from scoring.query import ASK, with_cycle_start
from scoring.services.publishing import definition_of, published_model
from scoring.sql import prepared, rendered


@dataclass(frozen=True, slots=True)
class BuyingAct:
    """The latest fast-track act of a lead."""

    lead_id: int
    kind: EventKind
    occurred_at: datetime


def fast_track_act(*, lead_id: int, now: datetime) -> EventKind | None:
    """Return the buying act that puts a lead into the shortest tier at ``now``, if any."""
    model = published_model()
    if model is None:
        return None
    definition = definition_of(model)
    acts = (act for act in definition.fast_track if act.shortest_tier)
    found = buying_acts(definition, acts, lead_ids=[lead_id], now=now)
    return found[lead_id].kind if found else None


def buying_acts(
    definition: Definition, wanted: Iterable[FastTrack], *, lead_ids: Sequence[int], now: datetime
) -> dict[int, BuyingAct]:
    """Return the latest of the ``wanted`` acts of each lead that still counts at ``now``.

    Only acts of the present cycle count, and of imported leads only those after the import.
    """
    kinds = [act.kind.value for act in wanted]
    if not kinds or not lead_ids:
        return {}
    earliest = now - definition.fast_track_within
    found = prepared(_latest(), [list(lead_ids), now, now, earliest, kinds])
    acts = (BuyingAct(row["lead_id"], EventKind(row["kind"]), row["occurred_at"]) for row in found)
    return {act.lead_id: act for act in acts}


@cache
def _latest() -> SQL:
    query = SQL(
        "SELECT DISTINCT ON (asked.lead_id) asked.lead_id, e.kind, e.occurred_at"
        " FROM ({asked}) asked JOIN leads_lead lead ON lead.id = asked.lead_id"
        " JOIN engagement_event e ON e.lead_id = asked.lead_id AND e.occurred_at > asked.since"
        " AND e.occurred_at > coalesce(lead.imported_at, '-infinity')"
        " WHERE e.occurred_at > $4 AND e.occurred_at <= $2 AND e.received_at <= $3"
        " AND e.actor = {human} AND e.kind = ANY($5::text[])"
        " ORDER BY asked.lead_id, e.occurred_at DESC, e.id"
    ).format(asked=with_cycle_start(ASK), human=Actor.HUMAN.value)
    return rendered(query)

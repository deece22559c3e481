"""Buying acts that make an MQL at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from psycopg.sql import SQL

from engagement.enums import Actor, EventKind
from scoring.definition import Definition
from scoring.query import ASK, with_cycle_start
from scoring.services.publishing import definition_of, published_model
from scoring.sql import prepared, rendered


@dataclass(frozen=True, slots=True)
class BuyingAct:
    """The fast-track act by which a lead raised its hand; ``event_id`` is the event of the log."""

    lead_id: int
    event_id: UUID
    kind: EventKind
    occurred_at: datetime
    received_at: datetime
    has_shortest_tier: bool


def buying_act(*, lead_id: int, now: datetime) -> BuyingAct | None:
    """Return the buying act by which a lead asks for sales at ``now``, if any."""
    model = published_model()
    return buying_acts(definition_of(model), [lead_id], now=now).get(lead_id) if model else None


def buying_acts(
    definition: Definition, lead_ids: Sequence[int], *, now: datetime
) -> dict[int, BuyingAct]:
    """Return the first fast-track act of each lead that still counts at ``now``.

    Only acts of the present cycle count, and of imported leads only those after the import. An act
    for the shortest tier comes before the others.
    """
    kinds = [act.kind.value for act in definition.fast_track]
    if not kinds or not lead_ids:
        return {}
    shortest = [act.kind.value for act in definition.fast_track if act.shortest_tier]
    earliest = now - definition.fast_track_within
    found = prepared(_first(), [list(lead_ids), now, now, earliest, kinds, shortest])
    acts = (BuyingAct(**{**row, "kind": EventKind(row["kind"])}) for row in found)
    return {act.lead_id: act for act in acts}


@cache
def _first() -> SQL:
    query = SQL(
        "SELECT DISTINCT ON (asked.lead_id) asked.lead_id, e.id AS event_id, e.kind,"
        " e.occurred_at, e.received_at, e.kind = ANY($6::text[]) AS has_shortest_tier"
        " FROM ({asked}) asked JOIN leads_lead lead ON lead.id = asked.lead_id"
        " JOIN engagement_event e ON e.lead_id = asked.lead_id AND e.occurred_at > asked.since"
        " AND e.occurred_at > coalesce(lead.imported_at, '-infinity')"
        " WHERE e.occurred_at > $4 AND e.occurred_at <= $2 AND e.received_at <= $3"
        " AND e.actor = {human} AND e.kind = ANY($5::text[])"
        " ORDER BY asked.lead_id, has_shortest_tier DESC, e.occurred_at, e.id"
    ).format(asked=with_cycle_start(ASK), human=Actor.HUMAN.value)
    return rendered(query)

"""Buying acts that make an MQL at once.

The model names the kinds of acts. An act that accepts an offer carries the offer's own setting,
which comes before the model's: it makes an MQL although the model does not name its kind, or makes
none although it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from psycopg.sql import SQL, Composed

from crm.common.prepared import prepared
from engagement.enums import Actor, EventKind, OfferKind
from scoring.definition import Definition
from scoring.past import past_events
from scoring.query import ASK, AT_ONCE, with_cycle_start
from scoring.services.publishing import definition_of, published_model
from scoring.sql import Tables, rendered, with_tables

_OF_OFFERS = [kind.event_kind.value for kind in OfferKind]
#: Whether an act fast-tracks, and whether it would if its offer did not say otherwise.
_COUNTS = SQL(
    "CASE WHEN e.properties @> '{{\"fast_track\": false}}' THEN false"
    " WHEN e.kind = ANY({kinds}) THEN true"
    " ELSE e.kind = ANY({of_offers}) AND e.properties @> '{{\"fast_track\": true}}' END"
)
_HELD_BACK = SQL("e.kind = ANY($5) AND e.properties @> '{{\"fast_track\": false}}'")


@dataclass(frozen=True, slots=True)
class BuyingAct:
    """The fast-track act by which a lead raised its hand; ``event_id`` is the event of the log.

    ``offer`` is the short name of the offer that was accepted, if it was one. What ``is_held_back``
    would be a fast track, had its offer not said otherwise.
    """

    lead_id: int
    event_id: UUID
    kind: EventKind
    occurred_at: datetime
    received_at: datetime
    has_shortest_tier: bool
    offer: str
    is_held_back: bool


def buying_act(*, lead_id: int, now: datetime) -> BuyingAct | None:
    """Return the buying act by which a lead asks for sales at ``now``, if any."""
    model = published_model()
    return buying_acts(definition_of(model), [lead_id], now=now).get(lead_id) if model else None


def buying_acts(
    definition: Definition,
    lead_ids: Sequence[int],
    *,
    now: datetime,
    known_at: datetime | None = None,
    is_past: bool = False,
) -> dict[int, BuyingAct]:
    """Return the first fast-track act of each lead that still counts at ``now``.

    Only what had been received at ``known_at`` (by default ``now``) counts; when that ``is_past``,
    also what was known then of whose acts they were.

    Only acts of the present cycle count, and of imported leads only those after the import. An act
    for the shortest tier comes before the others; that of an offer whose kind the model does not
    name is for the shortest.
    """
    query = _first(False, is_past)
    found = _find(definition, lead_ids, now, known_at or now, query)
    return {act.lead_id: act for act in found}


def telling_act(
    definition: Definition, lead_id: int, *, now: datetime, known_at: datetime, is_past: bool
) -> BuyingAct | None:
    """Return the act that ``buying_acts`` finds of a lead, else the first that was held back."""
    found = _find(definition, [lead_id], now, known_at, _first(True, is_past))
    return min(found, key=lambda act: act.is_held_back, default=None)


def is_buying(definition: Definition) -> Composed:
    """Return the condition on an event ``e`` that it is a fast-track act while it counts."""
    kinds = [act.kind.value for act in definition.fast_track]
    return SQL("e.actor = {human} AND e.kind = ANY({any_kind}) AND {counts}").format(
        human=Actor.HUMAN.value,
        any_kind=[*kinds, *_OF_OFFERS],
        counts=_COUNTS.format(kinds=kinds, of_offers=_OF_OFFERS),
    )


def _find(
    definition: Definition, lead_ids: Sequence[int], now: datetime, known_at: datetime, query: SQL
) -> list[BuyingAct]:
    if not lead_ids:
        return []
    kinds = [act.kind.value for act in definition.fast_track]
    shortest = [act.kind.value for act in definition.fast_track if act.shortest_tier]
    earliest = now - definition.fast_track_within
    asked = [list(lead_ids), now, known_at, earliest, kinds, shortest, _OF_OFFERS]
    found = prepared(query, asked)
    return [BuyingAct(**{**row, "kind": EventKind(row["kind"])}) for row in found]


@cache
def _first(also_held_back: bool, is_past: bool) -> SQL:
    counts = _COUNTS.format(kinds=SQL("$5"), of_offers=SQL("$7"))
    held_back = _HELD_BACK.format()
    query = SQL(
        "SELECT DISTINCT ON (asked.lead_id, is_held_back) asked.lead_id, e.id AS event_id, e.kind,"
        " e.occurred_at, e.received_at,"
        " e.kind = ANY($6::text[]) OR e.kind <> ALL($5::text[]) AS has_shortest_tier,"
        " left(coalesce(e.properties ->> 'offer', ''), 100) AS offer,"
        " {held_back} AS is_held_back"
        " FROM ({asked}) asked JOIN leads_lead lead ON lead.id = asked.lead_id"
        " JOIN engagement_event e ON e.lead_id = asked.lead_id AND e.occurred_at > asked.since"
        " AND e.occurred_at > coalesce(lead.imported_at, '-infinity')"
        " WHERE e.occurred_at > $4 AND e.occurred_at <= $2 AND e.received_at <= $3"
        " AND e.actor = {human} AND e.kind = ANY($5::text[] || $7::text[]) AND {counts}{at_once}"
        " ORDER BY asked.lead_id, is_held_back, has_shortest_tier DESC, e.occurred_at, e.id"
    ).format(
        asked=with_cycle_start(ASK),
        human=Actor.HUMAN.value,
        counts=SQL("({} OR {})").format(counts, held_back) if also_held_back else counts,
        held_back=held_back,
        at_once=AT_ONCE,
    )
    past: Tables = [past_events(SQL("$1"), known_at=SQL("$3"))] if is_past else []
    return rendered(with_tables(past, query))

"""Figures of assets, offers and webinars: one statement for a whole list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from engagement.enums import Actor, EventKind
from engagement.slices import OFFER_EVENTS, WEBINAR_EVENTS

#: First per thing and lead, then per thing. Leads that ever entered a stage are few, and are joined
#: last.
_FIGURES = """
    WITH reached AS (
        SELECT {key} AS key, event.lead_id, min(event.occurred_at) AS first_at,
            count(*) FILTER (WHERE event.kind = ANY(%(counted)s)) AS acts
        FROM engagement_event event {source}
        WHERE {condition} AND event.lead_id IS NOT NULL AND event.actor = 'HUMAN'
            AND event.occurred_at >= %(start)s AND event.occurred_at < %(end)s
        GROUP BY 1, 2
    ), entered AS (
        SELECT lead_id, max(started_at) FILTER (WHERE stage = 'MQL') AS mql_at,
            max(started_at) FILTER (WHERE stage = 'SQL') AS sql_at
        FROM leads_stageinterval WHERE stage IN ('MQL', 'SQL') GROUP BY lead_id
    )
    SELECT key, sum(acts)::bigint, count(*), count(*) FILTER (WHERE mql_at > first_at),
        count(*) FILTER (WHERE sql_at > first_at)
    FROM reached LEFT JOIN entered USING (lead_id) GROUP BY key
"""
_OF_ASSETS = _FIGURES.format(
    key="event.asset_id", source="", condition="event.asset_id IS NOT NULL"
)
_OF_ONE_ASSET = _FIGURES.format(
    key="event.asset_id", source="", condition="event.asset_id = %(asset)s"
)
_OF_OFFERS = _FIGURES.format(
    key="offer.id",
    source="JOIN engagement_offer offer ON offer.slug = event.properties ->> 'offer'",
    condition="event.properties ? 'offer' AND event.kind = ANY(%(counted)s)",
)
_OF_WEBINARS = """
    WITH person AS (
        SELECT webinar.id, event.lead_id, bool_or(event.kind = %(attended)s) AS came,
            bool_or(event.kind = %(missed)s) AS missed
        FROM engagement_webinar webinar
        JOIN engagement_event event ON event.asset_id = webinar.asset_id
            AND event.properties @> jsonb_build_object('webinar', webinar.slug)
        WHERE webinar.id = ANY(%(webinars)s) AND event.kind = ANY(%(kinds)s)
            AND event.lead_id IS NOT NULL AND event.actor = %(human)s
        GROUP BY webinar.id, event.lead_id
    )
    SELECT id, count(*), count(*) FILTER (WHERE came),
        count(*) FILTER (WHERE missed AND NOT came),
        count(*) FILTER (WHERE NOT missed AND NOT came)
    FROM person GROUP BY id
"""


@dataclass(frozen=True, slots=True)
class ContentFigures:
    """What came of an asset or offer: acts (downloads, acceptances), leads, what became of them."""

    acts: int = 0
    leads: int = 0
    mqls: int = 0
    sqls: int = 0


@dataclass(frozen=True, slots=True)
class WebinarFigures:
    """How many leads are on the list, came, did not come, and of how many nobody knows."""

    listed: int = 0
    attended: int = 0
    no_show: int = 0
    unanswered: int = 0


def asset_figures(
    start: datetime, end: datetime, *, asset_id: int | None = None
) -> dict[int, ContentFigures]:
    """Return the figures of each asset with which people did something from ``start`` to ``end``.

    The end is not part of the period. Acts are downloads; the stages are those entered until now.
    ``asset_id`` asks for one asset only.
    """
    query = _OF_ASSETS if asset_id is None else _OF_ONE_ASSET
    asked = {"counted": [EventKind.DOWNLOAD.value], "asset": asset_id}
    return _content(query, start=start, end=end, **asked)


def offer_figures(start: datetime, end: datetime) -> dict[int, ContentFigures]:
    """Return the figures of each offer that was accepted; acts are acceptances."""
    counted = [kind.value for kind in OFFER_EVENTS]
    return _content(_OF_OFFERS, counted=counted, start=start, end=end)


def webinar_figures(webinar_ids: list[int]) -> dict[int, WebinarFigures]:
    """Return the figures of the webinars of which anybody is known."""
    asked: dict[str, Any] = {
        "webinars": webinar_ids,
        "kinds": [kind.value for kind in WEBINAR_EVENTS],
        "attended": EventKind.WEBINAR_ATTENDED.value,
        "missed": EventKind.WEBINAR_NO_SHOW.value,
        "human": Actor.HUMAN.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OF_WEBINARS, asked)
        return {pk: WebinarFigures(*counts) for pk, *counts in cursor.fetchall()}


def _content(query: str, **asked: Any) -> dict[int, ContentFigures]:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return {pk: ContentFigures(*counts) for pk, *counts in cursor.fetchall()}

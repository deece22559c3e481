"""What a replay reads: the cycles of leads in a period, when something was learned, and the sums.

History that was brought in later is replayed as if Baton had been there: an act that was received
more than ``LATE`` after it happened counts from when it happened, and what an import recorded of a
lead from when the lead was captured. All queries see the log that way, the score query included,
as a table of the same name stands before the real one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.sql import SQL

from engagement.enums import Actor, EventKind
from leads.enums import LifecycleStage
from scoring.definition import Definition
from scoring.outcomes import mql_cycles
from scoring.query import KEEP, ask_pairs, engagement_tables
from scoring.replay.gauge import Sums
from scoring.services.fast_track import is_buying
from scoring.sql import NOT_MERGED, Tables, many_rows, with_tables

#: A message that comes later than this was brought in, not sent; a client retries for hours.
LATE = timedelta(days=7)

Pair = tuple[int, datetime]


@dataclass(frozen=True, slots=True)
class Span:
    """The leads of one run, by their ids (both included), and the period that is replayed."""

    first: int
    last: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of a lead while marketing had it, and what came of it.

    It can become an MQL from ``from_at`` to ``until_at`` (not included): in the period, before
    sales qualified it or a person ended it. ``first_at`` and ``last_at`` are when something was
    first and last learned of it in that time, None if never. Only acts after ``counts_from``, the
    last recycling, count. ``refused_at`` is when sales gave it back without qualifying it: refused,
    recycled or disqualified after MQL; ``refusal`` is the code of the reason, if one was named.
    """

    lead_id: int
    number: int
    stage: LifecycleStage
    began_at: datetime
    counts_from: datetime | None
    from_at: datetime
    until_at: datetime
    first_at: datetime | None
    last_at: datetime | None
    mql_at: datetime | None
    sql_at: datetime | None
    won_at: datetime | None
    refused_at: datetime | None
    refusal: str

    @property
    def anchor(self) -> datetime:
        """Return when the cycle's score is read: when something was last learned of it."""
        return self.last_at or self.from_at


_OPEN_CYCLES = SQL("""
    SELECT lead_id, cycle, stage, began_at, counts_from, from_at, until_at,
        mql_at, sql_at, won_at, refused_at, refusal
    FROM (
        SELECT own.*, known.mql_at, known.sql_at, known.won_at,
            CASE WHEN known.sql_at IS NULL THEN
                coalesce(known.refused_at, known.recycled_at, known.disqualified_at)
            END AS refused_at,
            CASE WHEN known.sql_at IS NULL THEN coalesce(known.refusal_reason, '') ELSE '' END
                AS refusal,
            greatest(began_at, {starts_at}) AS from_at,
            least({ends_at}, known.sql_at, ended_at, next_at) AS until_at
        FROM (
            SELECT *, lead(began_at) OVER cycles AS next_at,
                max(began_at) FILTER (WHERE stage = {recycled}) OVER cycles AS counts_from
            FROM ({cycles}) cycle WINDOW cycles AS (PARTITION BY lead_id ORDER BY cycle)
        ) own LEFT JOIN (
            SELECT * FROM ({outcomes}) outcome WHERE lead_id BETWEEN {first} AND {last}
        ) known USING (lead_id, cycle)
    ) open_cycle
    WHERE from_at < until_at AND (mql_at IS NULL OR mql_at >= {starts_at}) ORDER BY 1, 2
""")
_CYCLES = SQL("""
    SELECT lead_id, cycle::int AS cycle, min(started_at) AS began_at,
        (array_agg(stage ORDER BY sequence))[1] AS stage,
        min(started_at) FILTER (WHERE stage = {out} AND actor_id IS NOT NULL) AS ended_at
    FROM leads_stageinterval WHERE lead_id BETWEEN {first} AND {last}
    AND {not_merged} GROUP BY 1, 2
""")
#: What was learned in the period: acts when they were received, attributes when recorded.
_MOMENTS = SQL(
    "SELECT lead_id, array_agg(DISTINCT at ORDER BY at) FROM ("
    "SELECT lead_id, received_at AS at FROM engagement_event"
    " UNION ALL SELECT lead_id, recorded_at FROM leads_leadfact"
    ") AS moment WHERE at >= {starts_at} AND at < {ends_at} GROUP BY 1"
)
#: What people did. An act is known from when it was received and it was proven whose it is.
_RECEIVED = SQL(
    "SELECT event.id, event.lead_id, event.asset_id, event.kind, event.name, event.funnel_stage,"
    " event.properties, event.actor, event.occurred_at,"
    " CASE WHEN event.received_at > event.occurred_at + {late}"
    " THEN event.occurred_at ELSE greatest(event.received_at, link.proven_at) END AS received_at"
    " FROM engagement_event event LEFT JOIN engagement_visitorlink link ON link.id = event.link_id"
    " WHERE event.lead_id BETWEEN {first} AND {last} AND event.actor = {human}"
    " ORDER BY event.lead_id, event.occurred_at"
)
#: The log of a run is read in every round, hence laid out once, in the order in which it is read.
_LAY_OUT = SQL(
    "DROP TABLE IF EXISTS pg_temp.replayed_event;"
    " CREATE TEMPORARY TABLE replayed_event ON COMMIT DROP AS {received};"
    " CREATE INDEX ON pg_temp.replayed_event (lead_id, occurred_at);"
    " ANALYZE pg_temp.replayed_event"
)
_RECORDED = SQL(
    "SELECT fact.id, fact.lead_id, fact.field, fact.value, CASE WHEN"
    " fact.recorded_at <= lead.imported_at THEN lead.created_at ELSE fact.recorded_at END"
    " AS recorded_at FROM leads_leadfact fact JOIN leads_lead lead ON lead.id = fact.lead_id"
    " WHERE fact.lead_id BETWEEN {first} AND {last}"
)
_BUYING = SQL(
    "SELECT e.lead_id, e.kind, e.occurred_at, e.received_at FROM engagement_event e"
    " WHERE {is_buying} AND e.received_at < {ends_at} ORDER BY e.lead_id, e.received_at, e.id"
)


def lay_out(span: Span) -> None:
    """Prepare the log of a run, for the queries of this transaction."""
    received = _RECEIVED.format(late=LATE, human=Actor.HUMAN.value, **_range(span))
    with connection.cursor() as cursor:
        cursor.execute(_LAY_OUT.format(received=received))


def as_it_happened(span: Span) -> Tables:
    """Return the tables that stand before the log: of the leads of the run, imports set right."""
    return [
        ("engagement_event", SQL("SELECT * FROM pg_temp.replayed_event")),
        ("leads_leadfact", _RECORDED.format(**_range(span))),
    ]


def read_cycles(
    span: Span, moments: Mapping[int, Sequence[datetime]], *, now: datetime
) -> list[Cycle]:
    """Return the cycles that were open in the period, by lead and number.

    One that had come to sales before the period, or was over, has no part in it. ``moments`` are
    when something was learned of each lead.
    """
    filled = _range(span)
    every = _CYCLES.format(out=LifecycleStage.DISQUALIFIED.value, not_merged=NOT_MERGED, **filled)
    query = _OPEN_CYCLES.format(
        cycles=every,
        outcomes=mql_cycles(now=now),
        recycled=LifecycleStage.RECYCLED.value,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        **filled,
    )
    return [_cycle(row, moments.get(row[0], ())) for row in many_rows(query)]


def _cycle(row: tuple[Any, ...], moments: Sequence[datetime]) -> Cycle:
    """Add when something was first and last learned in a cycle."""
    from_at, until_at = row[5:7]
    learned = moments[bisect_left(moments, from_at) : bisect_left(moments, until_at)]
    return Cycle(*row[:7], *((learned[0], learned[-1]) if learned else (None, None)), *row[7:])


def read_moments(span: Span) -> dict[int, list[datetime]]:
    """Return when something was learned of each lead in the period, in order."""
    query = _MOMENTS.format(starts_at=span.starts_at, ends_at=span.ends_at)
    return dict(many_rows(with_tables(as_it_happened(span), query)))


def read_recordings(span: Span) -> dict[int, list[datetime]]:
    """Return when attributes of leads were recorded, in order."""
    query = SQL(
        "SELECT lead_id, array_agg(DISTINCT recorded_at ORDER BY recorded_at)"
        " FROM leads_leadfact GROUP BY 1"
    )
    return dict(many_rows(with_tables(as_it_happened(span), query)))


def _range(span: Span) -> dict[str, int]:
    return {"first": span.first, "last": span.last}


@dataclass(frozen=True, slots=True)
class Buying:
    """An act that makes an MQL at once, while it counts."""

    kind: EventKind
    occurred_at: datetime
    received_at: datetime


def read_buying(span: Span, definition: Definition) -> dict[int, list[Buying]]:
    """Return the fast-track acts of leads before the end of the period, in order of receipt."""
    query = _BUYING.format(is_buying=is_buying(definition), ends_at=span.ends_at)
    found: dict[int, list[Buying]] = defaultdict(list)
    for lead_id, kind, occurred_at, received_at in many_rows(
        with_tables(as_it_happened(span), query)
    ):
        found[lead_id].append(Buying(EventKind(kind), occurred_at, received_at))
    return found


def read_sums(span: Span, asked: Definition, pairs: Iterable[Pair]) -> dict[Pair, Sums]:
    """Run the score query for leads at instants, by what had been received at each."""
    tables = [
        *as_it_happened(span),
        *engagement_tables(asked, ask_pairs(pairs), evidence=True),
    ]
    body = SQL("SELECT lead_id, as_of, amounts, counts FROM engagement")
    found = many_rows(with_tables(tables, body, keep=KEEP))
    return {(lead_id, at): Sums(weights, counts) for lead_id, at, weights, counts in found}

"""What surrounds the score of one lead at a past time: what came to be known later, what is 0."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache

from psycopg.sql import SQL

from crm.common.prepared import prepared
from engagement.enums import Actor
from leads.enums import LifecycleStage
from scoring.explanation import Line
from scoring.sql import rendered, with_tables

#: Whether anything of a lead ``$1`` was learned or overwritten after ``$2`` (as of) or ``$3``
#: (known at): then the present tables do not tell the past.
_HAS_CHANGED = SQL(
    "EXISTS (SELECT FROM leads_leadfact WHERE lead_id = $1 AND recorded_at > least($2, $3))"
    " OR EXISTS (SELECT FROM leads_stageinterval WHERE lead_id = $1 AND started_at > least($2, $3))"
    " OR EXISTS (SELECT FROM leads_consent WHERE lead_id = $1 AND given_at > least($2, $3))"
    " OR EXISTS (SELECT FROM leads_deal WHERE lead_id = $1 AND closed_at > least($2, $3))"
    " OR EXISTS (SELECT FROM leads_lead colleague JOIN leads_deal deal"
    " ON deal.lead_id = colleague.id AND deal.closed_at > least($2, $3)"
    " WHERE colleague.company_id = (SELECT company_id FROM leads_lead WHERE id = $1))"
    " OR EXISTS (SELECT FROM engagement_event WHERE lead_id = $1 AND received_at > least($2, $3))"
    " OR EXISTS (SELECT FROM engagement_visitorlink"
    " WHERE lead_id = $1 AND proven_at > least($2, $3))"
    " OR EXISTS (SELECT FROM leads_leadmerge WHERE survivor_id = $1 AND merged_at > least($2, $3))"
    " OR EXISTS (SELECT FROM engagement_actorchange WHERE changed_at > least($2, $3))"
)
#: Since when acts count, as ``scoring.query.with_cycle_start`` has it.
_CYCLE = SQL(
    "SELECT max(stage.started_at) AS counts_from FROM leads_stageinterval stage"
    " JOIN leads_lead lead ON lead.id = stage.lead_id"
    " WHERE lead.id = $1 AND lead.cycle > 1 AND stage.stage = {} AND stage.started_at <= $2"
).format(LifecycleStage.RECYCLED.value)
#: Whether any act came to be known as the lead's only later: then it is asked of each, which reads
#: the log itself. Else an index tells all.
_LATER = SQL(
    "SELECT EXISTS (SELECT FROM engagement_visitorlink WHERE lead_id = $1 AND proven_at > $3)"
    " OR EXISTS (SELECT FROM leads_leadmerge WHERE survivor_id = $1 AND merged_at > $3) AS is_told"
)
_MINE = SQL(
    "WHERE event.lead_id = $1 AND event.occurred_at <= $2"
    " AND event.occurred_at > coalesce((SELECT counts_from FROM cycle), '-infinity')"
)
_OF_LEAD = SQL(
    "SELECT count(*) FILTER (WHERE actor = {human} AND known_at > $3) AS unknown,"
    " count(*) FILTER (WHERE actor = {machine} AND known_at <= $3) AS by_machines,"
    " count(*) FILTER (WHERE actor = {nobody} AND known_at <= $3) AS by_nobody"
    " FROM (SELECT event.actor, event.received_at AS known_at FROM engagement_event event {mine}"
    " AND NOT (SELECT is_told FROM later)"
    " UNION ALL SELECT event.actor, greatest(event.received_at, link.proven_at, merge.merged_at)"
    " FROM engagement_event event"
    " LEFT JOIN engagement_visitorlink link ON link.id = event.link_id"
    " LEFT JOIN leads_leadmerge merge"
    " ON merge.merged_id = event.merged_from AND merge.undone_at IS NULL"
    " {mine} AND (SELECT is_told FROM later)) AS act"
).format(
    human=Actor.HUMAN.value, machine=Actor.MACHINE.value, nobody=Actor.UNKNOWN.value, mine=_MINE
)
_CLAIMED = SQL(
    "SELECT count(*) AS claimed FROM cycle, engagement_visitorlink claim"
    " JOIN engagement_event event ON event.visitor_id = claim.visitor_id"
    " AND event.link_id = claim.id AND event.lead_id IS NULL"
    " WHERE claim.lead_id = $1 AND claim.proven_at IS NULL AND claim.detached_at IS NULL"
    " AND event.occurred_at <= $2 AND event.received_at <= $3"
    " AND event.occurred_at > coalesce(cycle.counts_from, '-infinity')"
)
_SURROUNDINGS = SQL(
    "SELECT ({changed}) AS has_changed, cycle.*, mine.*, claims.*"
    " FROM cycle, ({mine}) AS mine, ({claimed}) AS claims"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was not known then, and what never counts.

    ``has_changed``: the present tables do not tell the past. ``unknown`` are acts that had happened
    but were received, or proven to be the lead's, only later. ``by_machines`` and ``by_nobody`` are
    events that nobody did as far as is known now, ``claimed`` those of browsers that merely say
    they are the lead's.
    """

    has_changed: bool
    counts_from: datetime | None
    unknown: int
    by_machines: int
    by_nobody: int
    claimed: int

    def uncounted(self) -> tuple[Line, ...]:
        """Return a line of 0 for each kind of events that never count, and why."""
        told = (
            (self.by_machines, "of machines", "a machine caused them"),
            (self.by_nobody, "of nobody in particular", "nobody can tell whether a person did it"),
            (self.claimed, "of browsers that are not proven", "anybody can type an address"),
        )
        return tuple(
            Line(f"{count:,} {'event' if count == 1 else 'events'} {whose}", Decimal(0), why,
                 is_known=False)
            for count, whose, why in told if count
        )  # fmt: skip


def surroundings_of(lead_id: int, *, as_of: datetime, known_at: datetime) -> Surroundings:
    """Return what surrounds a score as of ``as_of`` by what was known at ``known_at``."""
    [found] = prepared(_query(), [lead_id, as_of, known_at])
    return Surroundings(**found)


@cache
def _query() -> SQL:
    body = _SURROUNDINGS.format(changed=_HAS_CHANGED, mine=_OF_LEAD, claimed=_CLAIMED)
    return rendered(with_tables([("cycle", _CYCLE), ("later", _LATER)], body))

"""Classifying the log again after rules about agents changed: month by month, as a set.

Only what an agent alone said is said anew. What the request or other clicks gave away is not in
the log any more and stays, and so does what people decided.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from django.db import connection, transaction
from django.db.models import Min

from engagement.classify import classify_agent
from engagement.enums import Actor, ActorRule
from engagement.models import Agent, Event
from engagement.services.actors import correct_history

#: The reasons that follow from an agent; a person has none.
_BY_AGENT = (ActorRule.ROBOT, ActorRule.UNSAID, ActorRule.MAIL_PROXY)

_FOUND = """
    SELECT event.id, event.occurred_at, event.lead_id, event.actor AS was_actor,
        event.actor_reason AS was_reason, verdict.actor, verdict.reason
    FROM engagement_event event
    JOIN unnest(%(agents)s::bigint[], %(actors)s::text[], %(reasons)s::text[])
        AS verdict (agent_id, actor, reason) USING (agent_id)
    WHERE event.occurred_at >= %(start)s AND event.occurred_at < %(end)s
        AND (event.actor, event.actor_reason) <> (verdict.actor, verdict.reason)
        AND event.actor_reason ~ %(by_agent)s
        AND NOT EXISTS (
            SELECT FROM engagement_actordecision decision WHERE decision.event_id = event.id
        )
"""
_SUM = """
    SELECT was_actor, was_reason, actor, reason, count(*),
        coalesce(array_agg(DISTINCT lead_id) FILTER (WHERE lead_id IS NOT NULL), '{}')
    FROM found GROUP BY 1, 2, 3, 4
"""
_COUNT = f"WITH found AS ({_FOUND}) {_SUM}"
_CHANGE = f"""
    WITH found AS MATERIALIZED ({_FOUND} FOR UPDATE OF event), changed AS (
        UPDATE engagement_event event SET actor = found.actor, actor_reason = found.reason
        FROM found WHERE event.occurred_at = found.occurred_at AND event.id = found.id
            AND event.occurred_at >= %(start)s AND event.occurred_at < %(end)s
    ), kept AS (
        INSERT INTO engagement_actorchange (event_id, was_actor, changed_at)
        SELECT id, was_actor, %(now)s FROM found WHERE was_actor <> actor
    ) {_SUM}
"""  # noqa: S608 -- our own constants


#: What events were and became: actor and reason, twice.
_Kind = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """How many events, of how many leads, were of one class and are of another."""

    was_actor: str
    was_reason: str
    actor: str
    reason: str
    events: int
    leads: int


def reclassify_events(
    *, now: datetime, since: datetime | None = None, dry_run: bool = False
) -> list[Change]:
    """Say anew by their agents who caused events, and have the leads scored again.

    Each month is a transaction of its own; interrupted, it can simply be run again.

    Args:
        now: when that became known.
        since: events before it stay as they are; None for all.
        dry_run: count only.
    """
    verdicts = _verdicts()
    events: Counter[_Kind] = Counter()
    leads: dict[_Kind, set[int]] = defaultdict(set)
    for start, end in _months(since, now):
        asked = {**verdicts, "start": start, "end": end, "now": now}
        for kind, count, whose in _in_month(asked, now, dry_run=dry_run):
            events[kind] += count
            leads[kind].update(whose)
    return [Change(*kind, count, len(leads[kind])) for kind, count in events.most_common()]


def _verdicts() -> dict[str, Any]:
    """Return what is thought of each agent now."""
    agents = dict(Agent.objects.values_list("pk", "name"))
    verdicts = [classify_agent(name) for name in agents.values()]
    labels = "|".join(rule.label for rule in _BY_AGENT)
    return {
        "agents": list(agents),
        "actors": [verdict.actor.value for verdict in verdicts],
        "reasons": [verdict.reason for verdict in verdicts],
        "by_agent": rf"^($|{labels})",
    }


def _in_month(
    asked: dict[str, Any], now: datetime, *, dry_run: bool
) -> list[tuple[_Kind, int, list[int]]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_COUNT if dry_run else _CHANGE, asked)
        found = [((a, b, c, d), events, leads) for a, b, c, d, events, leads in cursor.fetchall()]
        if not dry_run:
            concerned = (leads for kind, _, leads in found if Actor.HUMAN in {kind[0], kind[2]})
            correct_history(restored={}, taken=chain.from_iterable(concerned), now=now)
        return found


def _months(since: datetime | None, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield start and end of each month of the log from ``since`` on."""
    first = Event.objects.aggregate(at=Min("occurred_at"))["at"]
    if first is None:
        return
    start = max(first, since) if since else first
    while start <= now:
        year, month = start.astimezone(UTC).year, start.astimezone(UTC).month
        end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        yield start, end
        start = end

"""Machines that give themselves away by the company a click keeps: one statement for a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from crm.common.locks import hold_all
from engagement.enums import Actor, ActorRule, EventKind
from engagement.messages import Message
from engagement.services.event_log import NewEvent

#: Nobody reads a mail and follows all its links within this time, before and after any of them.
#: Our choice: scanners take a second or two, people open tabs more slowly.
AT_ONCE = timedelta(seconds=5)
#: Who asks where a link leads follows it this soon, if at all. Our choice.
ASKED_BEFORE = timedelta(minutes=1)
#: Leads share this many locks, so that a batch of clicks does not fill the table of locks that all
#: connections share. Our choice: two usual batches seldom meet.
_LOCKS = 1024

#: A scanner that asks with HEAD has the same agent as the request that follows: office programs
#: ask with theirs before they open the browser of a person. A mail with a single link says nothing
#: by all its links. What a person decided stays.
_SETTLE = """
    WITH click AS MATERIALIZED (
        SELECT id, occurred_at, lead_id, agent_id, actor,
            properties->>'tracked_link' AS link, properties->>'mailing' AS mailing,
            coalesce(properties->>'method', '') = 'HEAD' AS is_head,
            coalesce(properties->'is_hidden' = 'true', false) AS is_hidden
        FROM engagement_event
        WHERE lead_id = ANY(%(lead_ids)s) AND kind = %(kind)s AND properties ? 'tracked_link'
            AND occurred_at BETWEEN %(start)s AND %(end)s
    ), mailing AS MATERIALIZED (
        SELECT mailing, count(*) AS links FROM engagement_trackedlink
        WHERE NOT is_hidden AND mailing <> '' AND mailing IN (SELECT mailing FROM click)
        GROUP BY mailing HAVING count(*) > 1
    ), turned AS (
        SELECT id, occurred_at, CASE
            WHEN EXISTS (
                SELECT FROM click trap WHERE trap.is_hidden
                    AND trap.lead_id = click.lead_id AND trap.mailing = click.mailing
                    AND trap.occurred_at BETWEEN click.occurred_at - %(at_once)s
                        AND click.occurred_at + %(at_once)s
            ) THEN %(hidden)s
            WHEN mailing.links <= (
                SELECT count(DISTINCT other.link) FROM click other
                WHERE other.lead_id = click.lead_id AND other.mailing = click.mailing
                    AND NOT other.is_hidden
                    AND other.occurred_at BETWEEN click.occurred_at - %(at_once)s
                        AND click.occurred_at + %(at_once)s
            ) THEN %(all_links)s
            WHEN EXISTS (
                SELECT FROM click asked WHERE asked.is_head
                    AND asked.lead_id = click.lead_id AND asked.link = click.link
                    AND asked.agent_id IS NOT DISTINCT FROM click.agent_id
                    AND asked.occurred_at BETWEEN click.occurred_at - %(asked_before)s
                        AND click.occurred_at
            ) THEN %(head_first)s
            END AS reason
        FROM click LEFT JOIN mailing USING (mailing)
        WHERE actor <> %(machine)s
    )
    UPDATE engagement_event event SET actor = %(machine)s, actor_reason = turned.reason
    FROM turned
    WHERE event.occurred_at = turned.occurred_at AND event.id = turned.id
        AND event.occurred_at BETWEEN %(start)s AND %(end)s AND turned.reason IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM engagement_actordecision decision WHERE decision.event_id = event.id
        )
    RETURNING event.id, event.lead_id
"""


def hold_clicks(messages: Iterable[Message]) -> None:
    """Let no batch beside this one settle clicks of the same leads, until the transaction ends.

    What a scanner does within seconds may arrive in two batches: the second has to see the first.
    To be called before the batch locks visitors or leads, which others hold while they wait here.
    """
    lead_ids = {each.lead_id for each in messages if each.kind is EventKind.EMAIL_CLICK}
    if held := {f"clicks {lead_id % _LOCKS}" for lead_id in lead_ids if lead_id}:
        hold_all(held)


def settle_clicks(events: Sequence[NewEvent]) -> dict[UUID, int]:
    """Find the machines among clicks on our links and those shortly before.

    To be called in the transaction that appended ``events``, after ``hold_clicks``. Returns
    the ids of events, of these and earlier ones, that turned out to be machines', with their leads.
    """
    clicks = [
        event
        for event in events
        if event.kind is EventKind.EMAIL_CLICK
        and event.lead_id
        and "tracked_link" in event.properties
    ]
    if not clicks:
        return {}
    times = [click.occurred_at for click in clicks]
    asked: dict[str, Any] = {
        "lead_ids": sorted({click.lead_id for click in clicks if click.lead_id}),
        "start": min(times) - ASKED_BEFORE,
        "end": max(times) + ASKED_BEFORE,
        "kind": EventKind.EMAIL_CLICK,
        "machine": Actor.MACHINE,
        "at_once": AT_ONCE,
        "asked_before": ASKED_BEFORE,
        "hidden": ActorRule.HIDDEN_LINK.label,
        "all_links": ActorRule.ALL_LINKS.label,
        "head_first": ActorRule.HEAD_FIRST.label,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, asked)
        return dict(cursor.fetchall())

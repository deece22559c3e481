"""What arrives from a source: how much, how long ago, and the last messages one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from crm.common.models import Heartbeat
from engagement.acts import ICONS, MACHINE_ICON, act_title
from engagement.enums import Actor, EventKind
from engagement.event_ids import first_id_of, instant_of
from engagement.models import InboxMessage, Source

LAST = 20
#: Events are counted up to here; beyond it "10,000+" tells as much.
MOST_COUNTED = 10_000
#: The collector reports every two seconds; one that has not for so long is not running.
_SILENCE = timedelta(seconds=30)

_COUNT = """
    SELECT asked.name, counted.events FROM unnest(%s::text[]) AS asked (name)
    CROSS JOIN LATERAL (
        SELECT count(*) AS events FROM (
            SELECT FROM engagement_event_key key
            WHERE key.source = asked.name AND key.event_id >= %s LIMIT %s
        ) AS few
    ) AS counted
"""
_LAST_IDS = """
    SELECT event_id FROM engagement_event_key WHERE source = %s ORDER BY event_id DESC LIMIT %s
"""
#: The log is partitioned and ordered by time, so that each id is looked up with its own.
_EVENTS = """
    SELECT event.received_at, event.kind, event.name, event.url, event.actor, event.actor_reason,
        asset.name
    FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[]) AS asked (id, start, stop)
    CROSS JOIN LATERAL (
        SELECT * FROM engagement_event event WHERE event.id = asked.id
            AND event.occurred_at >= asked.start AND event.occurred_at < asked.stop
    ) AS event
    LEFT JOIN engagement_asset asset ON asset.id = event.asset_id
"""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as it arrived: an event, or why it was ``refused``."""

    received_at: datetime
    title: str
    icon: str
    url: str = ""
    note: str = ""
    is_machine: bool = False
    refused: str = ""


def events_since(sources: Sequence[Source], moment: datetime) -> dict[str, int]:
    """Return how many events of each source happened from ``moment`` on, by its name.

    Counted up to one more than ``MOST_COUNTED``.
    """
    names = [source.name for source in sources]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [names, first_id_of(moment), MOST_COUNTED + 1])
        return dict(cursor.fetchall())


def last_arrivals(source: Source) -> list[Arrived]:
    """Return the last messages of a source, newest first: events and refused ones."""
    found = [*_events(source), *_refused(source)]
    return sorted(found, key=lambda each: each.received_at, reverse=True)[:LAST]


def is_collecting(now: datetime) -> bool:
    """Say whether the collector has reported lately."""
    return Heartbeat.objects.filter(loop="collector", succeeded_at__gte=now - _SILENCE).exists()


def _events(source: Source) -> list[Arrived]:
    with connection.cursor() as cursor:
        cursor.execute(_LAST_IDS, [source.name, LAST])
        ids = [event_id for (event_id,) in cursor.fetchall()]
        starts, stops = zip(*map(instant_of, ids), strict=True) if ids else ((), ())
        cursor.execute(_EVENTS, [ids, list(starts), list(stops)])
        rows = cursor.fetchall()
    return [
        Arrived(
            received_at=received_at,
            title=act_title(kind=EventKind(kind), name=name, asset=asset or "", path=url),
            icon=MACHINE_ICON if actor == Actor.MACHINE else ICONS[EventKind(kind)],
            url=url,
            note=reason,
            is_machine=actor == Actor.MACHINE,
        )
        for received_at, kind, name, url, actor, reason, asset in rows
    ]


def _refused(source: Source) -> list[Arrived]:
    refused = InboxMessage.objects.filter(source=source.name, due_at=None).order_by("-id")
    return [
        Arrived(
            received_at=each.received_at,
            title=_title_of(each.body),
            icon="octagon-alert",
            refused=each.error,
        )
        for each in refused[:LAST]
    ]


def _title_of(body: object) -> str:
    """Return what a message calls itself; one that was damaged may be anything."""
    said = body if isinstance(body, dict) else {}
    return str(said.get("event") or said.get("type", "")).capitalize()

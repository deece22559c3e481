"""Appending to the event log: once per message id, and announced to the floors above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import orjson
from django.db import connection, transaction
from django.db.models import Max

from engagement.enums import OWN_SOURCE, Actor, EventKind
from engagement.event_ids import event_id, instant_of
from engagement.models import Asset, Event, EventKey
from engagement.services.partitions import ensure_partitions, month_of
from engagement.signals import events_absorbed
from leads.services import record_activity, unsubscribe

MessageName = tuple[str, str]

_NOTHING: Mapping[str, Any] = MappingProxyType({})

_COPY = (
    "COPY engagement_event (id, occurred_at, received_at, lead_id, visitor_id, link_id, asset_id,"
    " agent_id, kind, name, funnel_stage, url, properties, actor, actor_reason, clock_fault, touch)"
    " FROM STDIN"
)
#: In one order, so that two batches with the same messages wait for each other only one way.
_CLAIM = """
    INSERT INTO engagement_event_key (source, message_id, event_id)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::uuid[]) AS t (source, message_id, event_id)
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING RETURNING source, message_id
"""


class NewEvent(NamedTuple):
    """One row of the log to be."""

    id: UUID
    occurred_at: datetime
    received_at: datetime
    kind: EventKind
    lead_id: int | None = None
    visitor_id: int | None = None
    link_id: int | None = None
    asset_id: int | None = None
    agent_id: int | None = None
    name: str = ""
    funnel_stage: str = ""
    url: str = ""
    properties: Mapping[str, Any] = _NOTHING
    actor: Actor = Actor.HUMAN
    actor_reason: str = ""
    clock_fault: str = ""
    touch: Mapping[str, str] = _NOTHING


def claim_messages(ids: dict[MessageName, UUID]) -> set[MessageName]:
    """Write the names of messages that were never absorbed, and return those.

    A batch elsewhere that holds the same name is waited for; its name is then not returned.
    """
    if not ids:
        return set()
    sources, message_ids = zip(*ids, strict=True)
    columns = (sources, message_ids, [made.hex for made in ids.values()])
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, list(map(_array, columns)))
        return set(cursor.fetchall())


def append_events(events: Iterable[NewEvent]) -> None:
    """Write events whose messages were claimed in this transaction, and whose months exist."""
    with (
        connection.wrap_database_errors,  # which COPY goes past otherwise
        connection.cursor() as cursor,
        cursor.copy(_COPY) as copy,
    ):
        for event in events:
            copy.write_row(
                (
                    event.id, event.occurred_at, event.received_at, event.lead_id,
                    event.visitor_id, event.link_id, event.asset_id, event.agent_id,
                    event.kind.value, event.name, event.funnel_stage, event.url,
                    _json(event.properties), event.actor.value, event.actor_reason,
                    event.clock_fault, _json(event.touch),
                )
            )  # fmt: skip


def announce(
    *, events: Sequence[NewEvent], attached: Mapping[int, datetime | None], now: datetime
) -> None:
    """Tell the leads' last activity and the floors above, in the transaction of the events.

    ``attached`` are leads that were given earlier events, with the time of the latest by a person.
    Only what people do is activity and news of a lead; a scanner neither wakes nor moves it.
    """
    latest = {lead_id: at for lead_id, at in attached.items() if at}
    for event in events:
        if event.lead_id and event.actor is Actor.HUMAN:
            latest[event.lead_id] = max(
                latest.get(event.lead_id, event.occurred_at), event.occurred_at
            )
    record_activity(latest=latest)
    withdraw_consents(lead_ids={*attached, *_unsubscribing(events)}, now=now)
    if latest:
        events_absorbed.send(sender=Event, lead_ids=sorted(latest), now=now)


def withdraw_consents(*, lead_ids: Iterable[int], now: datetime) -> None:
    """Take back the consent of those leads of whom the log says that they unsubscribed themselves.

    To be called in the transaction by which an act became theirs, or a person's.
    """
    ids = sorted(lead_ids)
    if not ids:
        return
    said = Event.objects.human().filter(lead__in=ids, kind=EventKind.UNSUBSCRIBE)
    if told := dict(said.values_list("lead").annotate(at=Max("occurred_at"))):
        unsubscribe(told=told, now=now)


def _unsubscribing(events: Iterable[NewEvent]) -> Iterator[int]:
    """Yield the leads that one of the events unsubscribed, whoever caused it."""
    for event in events:
        if event.kind is EventKind.UNSUBSCRIBE and event.lead_id:
            yield event.lead_id


@transaction.atomic
def record_event(
    *,
    lead_id: int,
    kind: EventKind,
    occurred_at: datetime,
    now: datetime,
    asset: Asset | None = None,
    visitor_id: int | None = None,
    source: str = OWN_SOURCE,
    message_id: str = "",
    **details: Any,
) -> Event:
    """Append what a lead did, as seen by Baton itself, and return the event.

    It is the lead's whichever browser it was done with: ``visitor_id`` says so, and detaching that
    browser takes it from nobody. The same message id again changes nothing and returns the event
    that is there. ``details`` are further columns of Event: ``name``, ``url``, ``properties``,
    ``actor``, ``actor_reason``.

    Raises:
        ValueError: when ``occurred_at`` is after ``now``.
    """
    if occurred_at > now:
        raise ValueError("an event cannot happen after it is recorded")
    name = (source, message_id or uuid4().hex)
    event = NewEvent(
        id=event_id(source=source, message_id=name[1], occurred_at=occurred_at),
        occurred_at=occurred_at,
        received_at=now,
        kind=kind,
        lead_id=lead_id,
        visitor_id=visitor_id,
        asset_id=asset.pk if asset else None,
        funnel_stage=asset.funnel_stage if asset else "",
        **details,
    )
    ensure_partitions([month_of(occurred_at)])
    if claim_messages({name: event.id}):
        append_events([event])
        announce(events=[event], attached={}, now=now)
    key = EventKey.objects.get(source=source, message_id=name[1])
    start, end = instant_of(key.event_id)
    return Event.objects.get(id=key.event_id, occurred_at__gte=start, occurred_at__lt=end)


def _array(texts: Iterable[str]) -> str:
    """Write an array as PostgreSQL reads it; the driver takes five times as long."""
    quoted = (text.replace("\\", r"\\").replace('"', r"\"") for text in texts)
    return '{"' + '","'.join(quoted) + '"}'


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode() if value else "{}"

"""Turning the inbox into events: one transaction per batch.

A batch costs a constant number of statements, and a few for each new lead whose source it names.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import OperationalError, connection, transaction

from crm.common.health import beat
from crm.common.locks import try_hold
from crm.common.singly import do_singly
from engagement.enums import OWN_SOURCE, Actor
from engagement.event_ids import event_id
from engagement.messages import Message, parse_message
from engagement.models import LANES, InboxMessage
from engagement.receipts import NOTE_RECEIVED
from engagement.services.actors import correct_history
from engagement.services.assets import Library
from engagement.services.event_log import (
    MessageName,
    NewEvent,
    announce,
    append_events,
    claim_messages,
)
from engagement.services.first_touch import take_first_touch
from engagement.services.identification import Ownership, Said, identify
from engagement.services.judging import Judgement, judge
from engagement.services.machine_clicks import hold_clicks, settle_clicks
from engagement.services.partitions import ensure_partitions, month_of
from engagement.storable import Problem
from engagement.tokens import proof_of

logger = logging.getLogger(__name__)

#: Much costs the same for any batch; whoever meets its visitors waits for its end. Our choice.
BATCH = 4_000
#: A message that the database did not finish waits for this long; our choice.
RETRY_AFTER = timedelta(minutes=5)
#: The backlog is counted up to here; more is "many" all the same.
_MOST_COUNTED = 1_000
_LONGEST_ERROR = 300

#: Nobody waits for the disk: a crash takes a batch whole, and its messages are then still in the
#: inbox. Whatever is committed for good later takes the batch along.
_COMMIT_SOON = "SET LOCAL synchronous_commit = off"
#: Times come as text, of which Python makes datetimes several times as quickly as the driver does.
_DUE = """
    SELECT due_at::text, id, source, message_id, body, received_at::text, sent_at::text, meta
    FROM engagement_inbox inbox
    WHERE lane = %s AND due_at <= %s AND (%s::bigint IS NULL OR id = %s)
    ORDER BY inbox.due_at, id LIMIT %s FOR UPDATE SKIP LOCKED
"""
#: What is no JSON was written by no writer of ours; it must not keep the others from going on.
_REFUSE = """
    UPDATE engagement_inbox inbox
    SET due_at = NULL, error = refused.error, meta = CASE
        WHEN pg_input_is_valid(inbox.meta, 'jsonb') AND inbox.meta IS JSON OBJECT
        THEN (inbox.meta::jsonb - 'address')::text ELSE '{}' END
    FROM unnest(%s::bigint[], %s::text[]) AS refused (id, error) WHERE inbox.id = refused.id
"""
_REMOVE = "DELETE FROM engagement_inbox WHERE id = ANY(%s)"
#: What is due in a lane before the last that was taken is being absorbed elsewhere, or was absorbed
#: just now and is still to be walked through in the index.
_BACKLOG = """
    SELECT sum(waiting.number)::bigint, min(waiting.oldest)
    FROM unnest(%s::smallint[], %s::timestamptz[], %s::bigint[]) AS last (lane, due_at, id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, min(due_at) AS oldest FROM (
            SELECT due_at FROM engagement_inbox inbox
            WHERE inbox.lane = last.lane AND inbox.due_at <= %s
                AND (inbox.due_at, inbox.id) > (last.due_at, last.id)
            ORDER BY inbox.due_at, inbox.id LIMIT %s
        ) AS few
    ) AS waiting
"""


class Place(NamedTuple):
    """Where a row stands in the order in which the inbox is worked off."""

    lane: int
    due_at: str
    id: int


_STARTS = tuple(Place(lane, "-infinity", 0) for lane in range(LANES))


class Arrival(NamedTuple):
    """One row of the inbox, locked."""

    place: Place
    source: str
    message_id: str
    body: dict[str, Any]
    received_at: datetime
    sent_at: datetime | None
    meta: Mapping[str, Any]

    @property
    def id(self) -> int:
        """Return the id of the row."""
        return self.place.id

    @property
    def name(self) -> MessageName:
        """Return what makes a resend the same message."""
        return self.source, self.message_id


class Understood(NamedTuple):
    """A row of the inbox with what it says and the id of the event that it becomes."""

    arrival: Arrival
    message: Message
    id: UUID


def absorb_events(*, now: datetime, limit: int = BATCH) -> int:
    """Absorb up to ``limit`` messages that are due and return how many were taken.

    Several may run at once: each takes rows that no other holds. A message that cannot be absorbed
    stays in the inbox with its error and is no longer due; one that the database did not finish is
    tried again.
    """
    with _collecting_later():
        try:
            taken, last = _absorb(now, limit)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("A batch of events failed; absorbing its messages one by one")
            taken, last = _absorb_singly(now, limit), _STARTS
    _report(now, after=last)
    return taken


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Let no garbage collection go through a batch: it grows, and then goes without cycles.

    Going through it again and again took a fifth to a third of the processor time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@transaction.atomic
def _absorb(now: datetime, limit: int, only: int | None = None) -> tuple[int, Sequence[Place]]:
    """Absorb what is due; return how much it was, and the place of the last of each lane."""
    arrivals = _take(now, limit, only)
    understood, refused = _parse(arrivals)
    if understood:
        ensure_partitions({month_of(each.message.occurred_at) for each in understood})
        _append(_claim(understood), now)
        _remove(understood)
    if refused:
        _refuse({arrival.id: str(problem) for arrival, problem in refused})
    _note_received(arrivals)
    last = {place.lane: place for place in (*_STARTS, *(each.place for each in arrivals))}
    return len(arrivals), list(last.values())


def _absorb_singly(now: datetime, limit: int) -> int:
    """Absorb each message in a transaction of its own; put aside those that fail."""
    waiting = InboxMessage.objects.filter(due_at__lte=now).order_by("due_at", "id")
    ids = list(waiting.values_list("pk", flat=True)[:limit])

    def give_up(pk: int, error: Exception) -> None:
        logger.exception("Could not absorb message %s of the inbox", pk)
        if isinstance(error, OperationalError):
            InboxMessage.objects.filter(pk=pk).update(due_at=now + RETRY_AFTER)
        else:
            _refuse({pk: "internal: could not be absorbed, the log says why"})

    do_singly(ids, lambda pk: _absorb(now, 1, only=pk), give_up=give_up)
    return len(ids)


def _take(now: datetime, limit: int, only: int | None) -> list[Arrival]:
    """Lock what is due: of one lane, and of the others as far as that one does not fill a batch."""
    arrivals: list[Arrival] = []
    for lane in _lanes(now):
        if len(arrivals) < limit:
            arrivals += _take_from(lane, now, limit - len(arrivals), only)
    return arrivals


def _lanes(now: datetime) -> list[int]:
    """Return the lanes in the order to take from them, beginning with one that nobody else has.

    By the second another one goes first, so that whoever is alone neglects none.
    """
    first = int(now.timestamp())
    lanes = [(first + step) % LANES for step in range(LANES)]
    own = next((lane for lane in lanes if try_hold(f"inbox {lane}")), lanes[0])
    return sorted(lanes, key=lambda lane: lane != own)


def _take_from(lane: int, now: datetime, limit: int, only: int | None) -> list[Arrival]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [lane, now, only, only, limit])
        return [
            Arrival(
                Place(lane, due_at, pk), source, name, orjson.loads(body), _instant(received_at),
                _instant(sent_at) if sent_at else None, _circumstances(meta),
            )
            for due_at, pk, source, name, body, received_at, sent_at, meta
            in cursor.fetchall()
        ]  # fmt: skip


#: The messages of a request share its times, and those of a browser what it told beside them.
_instant = lru_cache(maxsize=1024)(datetime.fromisoformat)


@lru_cache(maxsize=1024)
def _circumstances(meta: str) -> Mapping[str, Any]:
    return MappingProxyType(orjson.loads(meta))


def _parse(
    arrivals: Sequence[Arrival],
) -> tuple[list[Understood], list[tuple[Arrival, Problem]]]:
    understood: list[Understood] = []
    refused: list[tuple[Arrival, Problem]] = []
    for arrival in arrivals:
        result = parse_message(
            arrival.body,
            received_at=arrival.received_at,
            sent_at=arrival.sent_at,
            is_ours=arrival.source == OWN_SOURCE,
        )
        if isinstance(result, Problem):
            refused.append((arrival, result))
        else:
            source, message_id = arrival.name
            made = event_id(source=source, message_id=message_id, occurred_at=result.occurred_at)
            understood.append(Understood(arrival, result, made))
    return understood, refused


def _claim(understood: Sequence[Understood]) -> list[Understood]:
    """Return what was never absorbed, the first of each message id, in order of time."""
    first: dict[MessageName, Understood] = {}
    for each in understood:
        first.setdefault(each.arrival.name, each)
    claimed = claim_messages({name: each.id for name, each in first.items()})
    return sorted(
        (each for name, each in first.items() if name in claimed),
        key=lambda each: (each.message.occurred_at, each.arrival.id),
    )


def _append(fresh: Sequence[Understood], now: datetime) -> None:
    hold_clicks(each.message for each in fresh)
    judgements = judge([(each.arrival.source, each.message, each.arrival.meta) for each in fresh])
    said = [_said(each, judged) for each, judged in zip(fresh, judgements, strict=True)]
    identification = identify(said, now=now)
    library = Library.load()
    events = [
        _event(each, owner, library, judged)
        for each, owner, judged in zip(fresh, identification.owners, judgements, strict=True)
    ]
    append_events(events)
    take_first_touch(lead_ids=identification.captured, now=now)
    turned = settle_clicks(events)
    announce(
        events=[each for each in events if each.id not in turned],
        attached=identification.attached,
        now=now,
    )
    correct_history(restored={}, taken=turned.values(), now=now)


def _said(each: Understood, judged: Judgement) -> Said:
    token = each.message.token
    proof = proof_of(token, now=each.arrival.received_at) if token else None
    return Said(each.arrival.source, each.message, proof, judged.actor is Actor.MACHINE)


def _event(each: Understood, owner: Ownership, library: Library, judged: Judgement) -> NewEvent:
    message = each.message
    asset = library.find(message)
    return NewEvent(
        id=each.id,
        occurred_at=message.occurred_at,
        received_at=each.arrival.received_at,
        kind=message.kind,
        lead_id=owner.lead_id,
        visitor_id=owner.visitor_id,
        link_id=owner.link_id,
        asset_id=asset.id,
        funnel_stage=asset.funnel_stage,
        name=message.name,
        url=message.url,
        properties=library.properties(message),
        clock_fault=message.clock_fault,
        actor=judged.actor,
        actor_reason=judged.reason,
        agent_id=judged.agent_id,
        touch=judged.touch,
    )


def _remove(understood: Sequence[Understood]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COMMIT_SOON)
        cursor.execute(_REMOVE, [[each.arrival.id for each in understood]])


def _note_received(arrivals: Sequence[Arrival]) -> None:
    """Note when each source sent last."""
    latest: dict[str, datetime] = {}
    for arrival in arrivals:
        known = latest.get(arrival.source, arrival.received_at)
        latest[arrival.source] = max(known, arrival.received_at)
    with connection.cursor() as cursor:
        cursor.execute(NOTE_RECEIVED, [list(latest), list(latest.values())])


def _refuse(reasons: Mapping[int, str]) -> None:
    """Keep messages with the reason, for a person to look at, without their senders' addresses."""
    errors = [reason[:_LONGEST_ERROR] for reason in reasons.values()]
    with connection.cursor() as cursor:
        cursor.execute(_REFUSE, [list(reasons), errors])


def _report(now: datetime, *, after: Sequence[Place]) -> None:
    places = [list(column) for column in zip(*after, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, [*places, now, _MOST_COUNTED])
        backlog, oldest_due_at = cursor.fetchone() or (0, None)
    beat("absorb_events", now, backlog, oldest_due_at)

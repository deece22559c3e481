"""Effects on the outside, written with their cause and delivered from the table.

``enqueue`` inserts a row in the caller's transaction. ``dispatch_outbox`` claims one due row at a
time: the claim counts the attempt and moves ``deliver_at`` on, and is committed before the channel
is called. So a message that kills the process is not the first one tried again, no transaction
stays open while a mail server thinks, and any number of dispatchers may run at once.

Which way an effect errs is its channel's choice: at least once (alerts; the receiver knows a repeat
by its stable id) or at most once (mail to prospects; a crash leaves ``UNCERTAIN``, for a person).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from crm.common import health
from crm.common.enums import OutboxState
from crm.common.models import OutboxMessage

logger = logging.getLogger(__name__)

BATCH = 10
LEASE = timedelta(minutes=5)  # longer than a batch whose mail server is slow at every message
RETRY_DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
ATTEMPTS = len(RETRY_DELAYS) + 1
LONGEST_ERROR = 500
#: The backlog is counted up to here; more is "many" all the same.
MOST_COUNTED = 10_000
LOOP = "dispatch_outbox"

Deliver = Callable[[OutboxMessage], None]


class UnknownChannel(LookupError):
    """No app has registered the channel."""


class NotSent(Exception):
    """Raised by a channel that is sure that nothing has left the house: it may be tried again."""


@dataclass(frozen=True)
class _Channel:
    """How messages of one kind leave the house."""

    deliver: Deliver
    at_most_once: bool


_channels: dict[str, _Channel] = {}


def register_channel(name: str, deliver: Deliver, *, at_most_once: bool = False) -> None:
    """Let ``deliver`` carry the messages of ``name``; whatever it raises is a failed attempt.

    Args:
        name: the channel that ``enqueue`` is given.
        deliver: sends one message, within limits of time of its own.
        at_most_once: try again after ``NotSent`` only, never after an attempt whose end is unknown.
    """
    _channels[name] = _Channel(deliver, at_most_once)


@dataclass(frozen=True)
class Message:
    """One effect to be written.

    Attributes:
        key: Natural key of the effect, unique for ever.
        channel: Who carries it.
        payload: What the channel needs; ids rather than personal data.
        topic: What it is about; messages about the same that still wait are overtaken by this one.
        deliver_at: Not before this; at once when None.
    """

    key: str
    channel: str
    payload: Mapping[str, Any]
    topic: str = ""
    deliver_at: datetime | None = None


def enqueue(
    *,
    key: str,
    channel: str,
    payload: Mapping[str, Any],
    now: datetime,
    deliver_at: datetime | None = None,
    topic: str = "",
) -> bool:
    """Write one message in the caller's transaction; a key that exists already changes nothing.

    Returns:
        Whether the message is new.

    Raises:
        UnknownChannel: nobody could deliver it.
    """
    message = Message(key, channel, payload, topic=topic, deliver_at=deliver_at)
    return enqueue_all([message], now=now) == 1


def enqueue_all(messages: Iterable[Message], *, now: datetime) -> int:
    """Write many messages at the price of one; see ``Message`` and ``enqueue``.

    Args:
        messages: in the order in which they happened.
        now: time of the cause.

    Returns:
        How many are new.

    Raises:
        UnknownChannel: nobody could deliver one of them.
    """
    given = list(messages)
    unknown = {message.channel for message in given} - _channels.keys()
    if unknown:
        raise UnknownChannel(", ".join(sorted(unknown)))
    new_keys = _insert(given, now) if given else set()
    newest = {m.topic: m.key for m in given if m.topic and m.key in new_keys}
    if newest:
        _supersede_others(newest)
    return len(new_keys)


def dispatch_outbox(*, now: datetime, limit: int = BATCH) -> int:
    """Take up to ``limit`` due messages, oldest first, and report the work done.

    Returns:
        How many were taken; fewer than ``limit`` means that nothing else is due.
    """
    taken = 0
    while taken < limit and (message := _claim(now)) is not None:
        if message.state != OutboxState.DEAD:
            _attempt(message, now)
        taken += 1
    waiting = OutboxMessage.objects.due(now).order_by("deliver_at", "id")
    oldest = waiting.values_list("deliver_at", flat=True).first()
    health.beat(LOOP, now, backlog=waiting[:MOST_COUNTED].count(), oldest_due_at=oldest)
    return taken


def replay(*, message_id: int, now: datetime) -> bool:
    """Owe a message again that was given up or may not have arrived; False when it is neither."""
    changed = (
        OutboxMessage.objects.needing_a_person()
        .filter(pk=message_id)
        .update(state=OutboxState.PENDING, attempts=0, deliver_at=now, last_error="")
    )
    return changed == 1


def _insert(messages: Iterable[Message], now: datetime) -> set[str]:
    """Insert the messages whose keys are new and return those keys.

    They go in by key, so that two who write the same ones wait for each other instead of both.
    """
    rows = [
        {
            "key": message.key,
            "channel": message.channel,
            "topic": message.topic,
            "payload": message.payload,
            "deliver_at": (message.deliver_at or now).isoformat(),
        }
        for message in sorted(messages, key=lambda message: message.key)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO common_outboxmessage (key, channel, topic, payload, deliver_at, state,"
            " created_at, attempts, last_error)"
            " SELECT key, channel, topic, payload, deliver_at, %s, %s, 0, ''"
            " FROM json_to_recordset(%s::json)"
            " AS given (key text, channel text, topic text, payload jsonb, deliver_at timestamptz)"
            " ON CONFLICT (key) DO NOTHING RETURNING key",
            [OutboxState.PENDING, now, json.dumps(rows)],
        )
        return {row[0] for row in cursor.fetchall()}


def _supersede_others(newest: Mapping[str, str]) -> None:
    """Let the newest message of each topic, given by its key, overtake those that still wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE common_outboxmessage AS other SET state = %s"
            " FROM json_each_text(%s::json) AS newest (topic, key)"
            " WHERE other.topic = newest.topic AND other.topic <> ''"
            " AND other.state = %s AND other.key <> newest.key",
            [OutboxState.SUPERSEDED, json.dumps(newest), OutboxState.PENDING],
        )


def _claim(now: datetime) -> OutboxMessage | None:
    """Take the oldest due message, count the attempt and lease it; None when nothing is due.

    One statement, committed by itself: whoever dies from here on has spent an attempt. A message
    whose last attempt took its process with it, so that nobody recorded its end, comes back dead.
    """
    rows = OutboxMessage.objects.raw(
        "UPDATE common_outboxmessage"
        " SET attempts = least(attempts + 1, %(most)s), deliver_at = %(lease_end)s,"
        " state = CASE WHEN attempts >= %(most)s THEN %(dead)s"
        " WHEN channel = ANY(%(once)s) THEN %(uncertain)s ELSE state END,"
        " last_error = CASE WHEN attempts >= %(most)s THEN %(fatal)s ELSE last_error END"
        " WHERE id = (SELECT id FROM common_outboxmessage"
        " WHERE state = %(pending)s AND deliver_at <= %(now)s"
        " ORDER BY deliver_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *",
        {
            "most": ATTEMPTS,
            "lease_end": now + LEASE,
            "once": [name for name, channel in _channels.items() if channel.at_most_once],
            "dead": OutboxState.DEAD.value,
            "uncertain": OutboxState.UNCERTAIN.value,
            "fatal": "The last attempt ended with its process.",
            "pending": OutboxState.PENDING.value,
            "now": now,
        },
    )
    return next(iter(rows), None)


def _attempt(message: OutboxMessage, now: datetime) -> None:
    """Hand a claimed message to its channel and record how that ended."""
    try:
        _channels[message.channel].deliver(message)
    except Exception as error:
        logger.exception("Could not deliver message %s", message.pk)
        _record_failure(message, error, now)
    else:
        OutboxMessage.objects.filter(pk=message.pk).update(
            state=OutboxState.SENT, delivered_at=now, last_error=""
        )


def _record_failure(message: OutboxMessage, error: Exception, now: datetime) -> None:
    """Note the error; owe the message again later, or give it up after the last attempt.

    A message that was overtaken meanwhile stays so, one that may have arrived stays uncertain.
    """
    row = OutboxMessage.objects.filter(pk=message.pk)
    row.update(last_error=f"{type(error).__name__}: {error}"[:LONGEST_ERROR])
    if message.state == OutboxState.UNCERTAIN and not isinstance(error, NotSent):
        return
    waiting = row.filter(state=message.state)
    if message.attempts >= ATTEMPTS:
        waiting.update(state=OutboxState.DEAD)
    else:
        retry_at = now + RETRY_DELAYS[message.attempts - 1]
        waiting.update(state=OutboxState.PENDING, deliver_at=retry_at)

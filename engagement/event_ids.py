"""Ids of events: UUIDv7 whose time is that of the event and whose rest is the message's name. Pure.

Made here because PostgreSQL has ``uuidv7()`` only from 18 on and the floor is 16; and because an
id that follows from the message is the same however often the message is taken up.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM = ((1 << 12) - 1) << 64 | (1 << 62) - 1


def event_id(*, source: str, message_id: str, occurred_at: datetime) -> UUID:
    """Return the id of the event that ``message_id`` of ``source`` stands for (RFC 9562, v7).

    Raises:
        ValueError: when ``occurred_at`` is before 1970 or without a time zone.
    """
    seconds = occurred_at.timestamp()
    if occurred_at.tzinfo is None or seconds < 0:
        raise ValueError("an event needs an aware time after 1970")
    milliseconds = int(seconds * 1000)
    digest = blake2b(f"{source}\0{message_id}".encode(), digest_size=10).digest()
    rest = int.from_bytes(digest, "big") & _RANDOM
    return UUID(int=milliseconds << 80 | _VERSION | _VARIANT | rest)


@lru_cache(maxsize=4096)
def agent_id(name: str) -> int:
    """Return the id of a User-Agent: 63 bits of a digest, so that no batch waits for another's."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) >> 1


def instant_of(made: UUID) -> tuple[datetime, datetime]:
    """Return the millisecond in which the event of an id happened: its start, and its end (not in).

    The log is partitioned by time, so that an event is found by both.
    """
    start = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=made.int >> 80)
    return start, start + timedelta(milliseconds=1)


def first_id_of(moment: datetime) -> UUID:
    """Return the smallest id that an event of ``moment`` or later can have."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)

"""Importing a file of messages through the inbox, in constant memory and safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from typing import Any, BinaryIO

from django.db import connection

from engagement.json_reading import LARGEST, read_object
from engagement.messages import message_id, parse_message
from engagement.services.absorption import BATCH, absorb_events
from engagement.services.intake import receive
from engagement.services.partitions import ensure_partitions, month_of
from engagement.storable import Problem

_CHUNK = 5_000
_BOM = b"\xef\xbb\xbf"

_KNOWN = """
    SELECT message_id FROM unnest(%s::text[]) AS asked (message_id)
    WHERE EXISTS (SELECT FROM engagement_event_key known
                  WHERE known.source = %s AND known.message_id = asked.message_id)
       OR EXISTS (SELECT FROM engagement_inbox waiting
                  WHERE waiting.source = %s AND waiting.message_id = asked.message_id)
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: where it stands, and its bytes, cut when it is too long to be a message.

    ``number`` counts from 1; ``offset`` and ``length`` are bytes, the line's end included.
    """

    number: int
    offset: int
    length: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not taken, and why."""

    line: Line
    problem: Problem


@dataclass
class EventImport:
    """What became of the lines of a file so far."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that can be taken."""

    id: str
    body: dict[str, Any]
    occurred_at: datetime


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Go through the lines that hold something; no line, however long, is read whole."""
    offset = len(_BOM) if file.read(len(_BOM)) == _BOM else 0
    file.seek(offset)
    for number in count(1):
        piece = raw = file.readline(LARGEST + len(b"\r\n"))
        if not raw:
            return
        length = len(raw)
        while piece and not piece.endswith(b"\n"):
            piece = file.readline(LARGEST)
            length += len(piece)
        if raw.strip():
            yield Line(number, offset, length, raw.removesuffix(b"\n").removesuffix(b"\r"))
        offset += length


def import_events(
    *,
    lines: Iterable[Line],
    digest: str,
    source: str,
    now: datetime,
    on_refused: Callable[[Refusal], None],
    dry_run: bool = False,
) -> EventImport:
    """Take the messages of a file, one a line, and absorb them.

    Each chunk is committed, so that an import that was killed goes on when it is started again:
    what it had taken is then a duplicate.

    Args:
        lines: as ``read_lines`` gives them.
        digest: names the content of the file; with the line number it is the id of a message that
            has none.
        source: whose messages these are; message ids are unique within it.
        now: the time of receipt. The time that a message tells is taken as true.
        on_refused: called for each line that is refused, in order.
        dry_run: check only; write nothing.
    """
    result = EventImport()
    remaining = iter(lines)
    with _scratch_table() if dry_run else nullcontext():
        while chunk := list(islice(remaining, _CHUNK)):
            ready = list(_ready(chunk, digest, now, on_refused))
            fresh = _count_new(ready, source) if dry_run else _take_new(ready, source, now)
            result.refused += len(chunk) - len(ready)
            result.duplicates += len(ready) - fresh
            result.accepted += fresh
    return result


def _ready(
    chunk: Iterable[Line], digest: str, now: datetime, on_refused: Callable[[Refusal], None]
) -> Iterator[_Ready]:
    """Return the messages of ``chunk`` that make sense; tell of the others."""
    for line in chunk:
        checked = _check(line, digest, now)
        if isinstance(checked, Problem):
            on_refused(Refusal(line, checked))
        else:
            yield checked


def _check(line: Line, digest: str, now: datetime) -> _Ready | Problem:
    body = read_object(line.raw)
    if isinstance(body, Problem):
        return body
    name = message_id(body)
    if isinstance(name, Problem):
        return name
    message = parse_message(body, received_at=now, sent_at=None)
    if isinstance(message, Problem):
        return message
    name = name or f"{digest}:{line.number}"
    return _Ready(name, {**body, "messageId": name}, message.occurred_at)


def _take_new(ready: Sequence[_Ready], source: str, now: datetime) -> int:
    """Absorb what was never seen and return how much that was."""
    known = _known(ready, source)
    fresh = {each.id: each for each in reversed(ready) if each.id not in known}
    ensure_partitions({month_of(each.occurred_at) for each in fresh.values()})
    receive(
        source=source,
        messages=[each.body for each in ready if fresh.get(each.id) is each],
        received_at=now,
    )
    while absorb_events(now=now) == BATCH:
        pass
    return len(fresh)


def _known(ready: Sequence[_Ready], source: str) -> set[str]:
    """Return the ids that were absorbed, or wait in the inbox, before."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [[each.id for each in ready], source, source])
        return {known for (known,) in cursor.fetchall()}


@contextmanager
def _scratch_table() -> Iterator[None]:
    """Remember the ids of a dry run where they cost no memory."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE event_import_seen (message_id text PRIMARY KEY)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE event_import_seen")


def _count_new(ready: Sequence[_Ready], source: str) -> int:
    """Return how many of the messages an import would take."""
    known = _known(ready, source)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO event_import_seen SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
            [[each.id for each in ready if each.id not in known]],
        )
        return int(cursor.rowcount)

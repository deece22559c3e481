"""Rows of the inbox in the text form of COPY, which is also what the spool keeps. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from engagement.collector.payloads import Taken

COPY = (
    "COPY engagement_inbox"
    " (source, message_id, body, received_at, due_at, error, meta, sent_at) FROM STDIN"
)
_NULL = rb"\N"
#: The code of each mark that the text form gives a meaning, the mark, and what stands for it.
_ESCAPES = tuple(
    (ord(mark), mark, escape)
    for mark, escape in ((b"\\", rb"\\"), (b"\n", rb"\n"), (b"\t", rb"\t"), (b"\r", rb"\r"))
)


def rows_of(
    messages: Iterable[Taken], *, source: str, received_at: datetime, meta: str
) -> list[bytes]:
    """Return one row for each message, due at once.

    Args:
        messages: what is to be stored.
        source: the name of who sends.
        received_at: server time, aware.
        meta: what the request told beside its body, as JSON.
    """
    moment = received_at.isoformat().encode()
    before = _escaped(source.encode()) + b"\t"
    after = b"\t".join((b"", moment, moment, b"", _escaped(meta.encode()), b""))
    return [
        b"".join((before, _escaped(one.id.encode()), b"\t", _escaped(one.raw), after, _end(one)))
        for one in messages
    ]


def _end(message: Taken) -> bytes:
    return _time(message.sent_at) + b"\n"


@lru_cache(maxsize=100)
def _time(moment: datetime | None) -> bytes:
    """Write a time; the messages of a batch were sent at one."""
    return moment.isoformat().encode() if moment else _NULL


def _escaped(text: bytes) -> bytes:
    for code, mark, escape in _ESCAPES:
        if code in text:  # to look for a number is quicker than to replace nothing
            text = text.replace(mark, escape)
    return text

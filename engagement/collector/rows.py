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
_NULL = r"\N"
_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"))


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
    moment = received_at.isoformat()
    before = f"{_escaped(source)}\t"
    after = f"\t{moment}\t{moment}\t\t{_escaped(meta)}\t"
    return [
        f"{before}{_escaped(each.id)}\t{_escaped(each.text)}{after}{_time(each.sent_at)}\n".encode()
        for each in messages
    ]


@lru_cache(maxsize=100)
def _time(moment: datetime | None) -> str:
    """Write a time; the messages of a batch were sent at one."""
    return moment.isoformat() if moment else _NULL


def _escaped(text: str) -> str:
    for mark, escape in _ESCAPES:
        if mark in text:  # to look is quicker than to replace nothing
            text = text.replace(mark, escape)
    return text

"""Rows of the inbox in the text form of COPY, which is also what the spool keeps. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from engagement.collector.payloads import Taken

COPY = (
    "COPY engagement_inbox"
    " (source, message_id, body, received_at, due_at, error, meta, sent_at) FROM STDIN"
)
_NULL = r"\N"


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


def _time(moment: datetime | None) -> str:
    return moment.isoformat() if moment else _NULL


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")

"""Taking messages in: durable in the inbox before anybody is told that they arrived."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

_COPY = (
    "COPY engagement_inbox (source, message_id, body, received_at, sent_at, meta, due_at, error)"
    " FROM STDIN"
)


@transaction.atomic
def receive(
    *,
    source: str,
    messages: Iterable[Mapping[str, Any]],
    received_at: datetime,
    sent_at: datetime | None = None,
    meta: Mapping[str, str] | None = None,
) -> int:
    """Write ``messages`` to the inbox, due at once, and return how many there were.

    Args:
        source: who sends, at most 50 characters; message ids are unique within it.
        messages: objects that ``json_reading.read_object`` let through, with checked ids; one
            without ``messageId`` gets a random one, so that only its sender can double it.
        received_at: server time.
        sent_at: what the sender's clock showed when it sent them; None when nobody knows.
        meta: what the request told beside them, see ``InboxMessage``.
    """
    count = 0
    beside = json.dumps(dict(meta or {}))
    with (
        connection.wrap_database_errors,  # which COPY goes past otherwise
        connection.cursor() as cursor,
        cursor.copy(_COPY) as copy,
    ):
        for body in messages:
            message_id = body.get("messageId") or uuid4().hex
            copy.write_row(
                (
                    source,
                    message_id,
                    json.dumps(body),
                    received_at,
                    sent_at,
                    beside,
                    received_at,
                    "",
                )
            )
            count += 1
    return count

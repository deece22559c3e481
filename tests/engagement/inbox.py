"""Messages as clients send them, and the way through the inbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engagement.models import Event, EventKey
from engagement.services import absorb_events, receive

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/125.0.0.0 Safari/537.36"


def message(message_id: str, at: datetime = NOW - HOUR, **body: Any) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "type": "page",
        "anonymousId": "laptop",
        "timestamp": at.isoformat(),
        "context": {"userAgent": CHROME},
        **body,
    }


def identify(message_id: str, email: str, at: datetime = NOW - HOUR, **body: Any) -> dict[str, Any]:
    return message(message_id, at, **{"type": "identify", "traits": {"email": email}, **body})


def absorb(
    *messages: dict[str, Any],
    source: str = "site",
    now: datetime = NOW,
    meta: dict[str, str] | None = None,
) -> int:
    receive(source=source, messages=messages, received_at=now, meta=meta)
    return absorb_events(now=now)


def owners() -> list[tuple[str, str | None]]:
    """Return (message id, address of the lead) of all events, in order of time."""
    keys = dict(EventKey.objects.values_list("event_id", "message_id"))
    events = Event.objects.order_by("occurred_at", "id").values_list("id", "lead__email")
    return [(keys[event_id], email) for event_id, email in events]

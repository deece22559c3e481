"""Clicks on the links of a mail, at times of our choosing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from engagement.enums import OWN_SOURCE
from engagement.models import Event, TrackedLink
from engagement.services import absorb_events, make_tracked_link, receive
from leads.models import Lead
from tests.engagement.inbox import CHROME, NOW

START = NOW - timedelta(minutes=10)


def links_of(mailing: str, count: int, *, is_hidden: bool = False) -> list[TrackedLink]:
    return [
        make_tracked_link(
            target=f"https://halvorn.example/{mailing}/{number}",
            mailing=mailing,
            is_hidden=is_hidden,
            now=START,
        )
        for number in range(count)
    ]


def click(
    lead: Lead, link: TrackedLink, seconds: float, *, method: str = "GET", agent: str = CHROME
) -> None:
    """Have a click wait in the inbox: ``seconds`` after START."""
    at = START + timedelta(seconds=seconds)
    told: dict[str, Any] = {"tracked_link": str(link.pk), "mailing": link.mailing}
    if method == "HEAD":
        told["method"] = method
    if link.is_hidden:
        told["is_hidden"] = True
    body = {
        "messageId": f"{method}:{link.pk}:{lead.pk}:{at.isoformat()}", "type": "track",
        "event": "Email clicked", "leadId": lead.pk, "properties": told,
    }  # fmt: skip
    receive(source=OWN_SOURCE, messages=[body], received_at=at, meta={"agent": agent})


def absorbed() -> list[Event]:
    absorb_events(now=NOW)
    return list(Event.objects.order_by("occurred_at", "id"))


def reasons(events: Sequence[Event]) -> list[str]:
    return [event.actor_reason for event in events]

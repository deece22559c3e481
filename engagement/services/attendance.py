"""Recording who registered for a webinar, came or did not: once for each lead."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction

from engagement.enums import WEBINAR_SOURCE, EventKind
from engagement.event_ids import event_id
from engagement.models import Webinar
from engagement.services.event_log import NewEvent, announce, append_events, claim_messages
from engagement.services.partitions import ensure_partitions, month_of

_CHUNK = 1_000

#: The lead, what happened, when (true time), and what else is known.
Attendance = tuple[int, EventKind, datetime, dict[str, Any]]


@transaction.atomic
def record_attendance(
    *, webinar: Webinar, people: Iterable[Attendance], now: datetime
) -> set[tuple[int, EventKind]]:
    """Record what leads did about a webinar; return the lead and kind of what is new.

    Each lead registers, comes and misses it once at most, however often that is told.
    """
    fresh: set[tuple[int, EventKind]] = set()
    remaining = iter(people)
    while chunk := list(islice(remaining, _CHUNK)):
        named = {(WEBINAR_SOURCE, _message_id(webinar, each)): each for each in chunk}
        events = {name: _event(webinar, name[1], each, now) for name, each in named.items()}
        ensure_partitions({month_of(event.occurred_at) for event in events.values()})
        claimed = claim_messages({name: event.id for name, event in events.items()})
        new = [event for name, event in events.items() if name in claimed]
        append_events(new)
        announce(events=new, attached={}, now=now)
        fresh |= {(event.lead_id, event.kind) for event in new if event.lead_id}
    return fresh


def _message_id(webinar: Webinar, each: Attendance) -> str:
    lead_id, kind, *_ = each
    return f"{webinar.pk}:{lead_id}:{kind.value}"


def _event(webinar: Webinar, message_id: str, each: Attendance, now: datetime) -> NewEvent:
    lead_id, kind, happened_at, known = each
    occurred_at = min(happened_at, now)
    return NewEvent(
        id=event_id(source=WEBINAR_SOURCE, message_id=message_id, occurred_at=occurred_at),
        occurred_at=occurred_at,
        received_at=now,
        kind=kind,
        lead_id=lead_id,
        asset_id=webinar.asset_id,
        funnel_stage=webinar.asset.funnel_stage,
        name=webinar.name,
        properties={**known, "webinar": webinar.slug},
    )

"""Recording who registered for a webinar, came or did not: once for each lead."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Q

from engagement.enums import WEBINAR_SOURCE, AttendanceStatus, EventKind
from engagement.event_ids import event_id
from engagement.models import EventKey, Webinar
from engagement.services.event_log import NewEvent, announce, append_events, claim_messages
from engagement.services.partitions import ensure_partitions, month_of
from leads.models import Lead
from leads.services import share_merges

_CHUNK = 1_000

#: The lead, what happened, when (true time), and what else is known.
Attendance = tuple[int, EventKind, datetime, dict[str, Any]]


@transaction.atomic
def record_attendance(
    *, webinar: Webinar, people: Iterable[Attendance], now: datetime
) -> set[tuple[int, EventKind]]:
    """Record what leads did about a webinar; return the lead and kind of what is new.

    Each lead registers, comes and misses it once at most, however often that is told, and by which
    of the addresses that are one person by now.
    """
    share_merges()
    fresh: set[tuple[int, EventKind]] = set()
    remaining = iter(people)
    while chunk := list(islice(remaining, _CHUNK)):
        known = recorded_before(webinar, {lead_id for lead_id, *_ in chunk})
        named = {
            (WEBINAR_SOURCE, _message_id(webinar, *each[:2])): each
            for each in chunk
            if each[:2] not in known
        }
        events = {name: _event(webinar, name[1], each, now) for name, each in named.items()}
        ensure_partitions({month_of(event.occurred_at) for event in events.values()})
        claimed = claim_messages({name: event.id for name, event in events.items()})
        new = [event for name, event in events.items() if name in claimed]
        append_events(new)
        announce(events=new, attached={}, now=now)
        fresh |= {(event.lead_id, event.kind) for event in new if event.lead_id}
    return fresh


def recorded_before(webinar: Webinar, lead_ids: Collection[int]) -> set[tuple[int, EventKind]]:
    """Return what is recorded of leads, and of those that were merged into them."""
    family = Lead.objects.filter(Q(pk__in=lead_ids) | Q(merged_into__in=lead_ids))
    names = {
        _message_id(webinar, lead_id, kind): (into or lead_id, kind)
        for lead_id, into in family.values_list("pk", "merged_into")
        for kind in (status.event_kind for status in AttendanceStatus)
    }
    known = EventKey.objects.filter(source=WEBINAR_SOURCE, message_id__in=list(names))
    return {names[name] for name in known.values_list("message_id", flat=True)}


def _message_id(webinar: Webinar, lead_id: int, kind: EventKind) -> str:
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

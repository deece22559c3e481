"""Recording what Baton itself sees a lead do, once for each time that it is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from engagement.enums import EventKind
from engagement.models import Event
from engagement.services.event_log import record_event
from leads.models import Lead
from leads.services import survivor_of


@transaction.atomic
def record_unless_lately(
    *,
    lead_id: int,
    kind: EventKind,
    now: datetime,
    within: timedelta,
    alike: Mapping[str, Any],
    occurred_at: datetime | None = None,
    **details: Any,
) -> Event:
    """Record what a lead did, unless it did the same less than ``within`` before or after.

    ``alike`` are conditions on Event: what makes two acts of ``kind`` the same one. It was done at
    ``now``, or at ``occurred_at`` if that is told only now. The event that is there or is made is
    returned. Of two requests at once the later waits for the earlier.

    Raises:
        Lead.DoesNotExist: there is no such lead.
    """
    lead_id = survivor_of(lead_id=lead_id)
    Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    at = occurred_at or now
    lately = Event.objects.filter(
        lead_id=lead_id,
        kind=kind,
        occurred_at__gt=at - within,
        occurred_at__lt=at + within,
        **alike,
    )
    known = lately.order_by("occurred_at", "id").last()
    return known or record_event(lead_id=lead_id, kind=kind, occurred_at=at, now=now, **details)

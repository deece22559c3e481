"""What leads do before their pages are looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from engagement.enums import EventKind
from engagement.services import record_event
from leads.models import Lead


def view(lead: Lead, *, minutes_ago: int, **details: Any) -> None:
    """Let a lead have viewed a page."""
    now = timezone.now()
    record_event(
        lead_id=lead.pk,
        kind=EventKind.PAGE_VIEW,
        occurred_at=now - timedelta(minutes=minutes_ago),
        now=now,
        **details,
    )

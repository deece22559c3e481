"""What the timeline of a lead tells of sales."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.models import User
from crm.common.slots import TimelineEntry, timeline_sources
from leads.timeline import merge

_SOURCES = ("verdicts", "touches", "decisions", "breaches")


def sales_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what handoffs add to the timeline, newest first, as its page merges it."""
    sources = [timeline_sources.get(name) for name in _SOURCES]
    given = [source.load(lead_id, viewer, before, limit + 1) for source in sources if source]
    return merge(given, size=limit).entries

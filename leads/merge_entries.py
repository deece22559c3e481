"""Merges as lines of a timeline: of the lead that stays, and after it was taken back of both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from crm.accounts.models import User
from crm.common.prepared import FAR, PreparedQuery
from crm.common.slots import TimelineEntry
from leads.models import LeadMerge

MERGES = PreparedQuery(
    lambda lead: (
        LeadMerge.objects.filter(Q(survivor_id=lead) | Q(merged_id=lead))
        .select_related("survivor", "merged", "merged_by", "undone_by")
        .order_by("-merged_at", "-id")
    )
)


def merge_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return that a lead was merged, and parted again; a ``TimelineSource``."""
    del viewer
    entries = [entry for merge in MERGES.ask(lead_id) for entry in _entries(merge, lead_id)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    past = [entry for entry in entries if entry.at < (before or FAR)]
    return [entry for entry in past if entry.at >= past[:limit][-1].at]


def _entries(merge: LeadMerge, lead_id: int) -> Iterator[TimelineEntry]:
    is_survivor = merge.survivor_id == lead_id
    other, way = (merge.merged, "with") if is_survivor else (merge.survivor, "into")
    address = merge.address if is_survivor else ""
    url = reverse("leads:merge", args=[merge.pk])
    yield TimelineEntry(
        at=merge.merged_at,
        kind="sales",
        icon="merge",
        title=f"Merged {way} {other}",
        detail=". ".join(filter(None, [address, f"By {merge.merged_by}"])),
        tag="Taken back" if merge.undone_at else "",
        url=url,
    )
    if merge.undone_at:
        yield TimelineEntry(
            at=merge.undone_at,
            kind="sales",
            icon="split",
            title=f"Parted from {other} again",
            detail=f"By {merge.undone_by}",
            url=url,
        )

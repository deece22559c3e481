"""Giving new leads the source that first brought them, when nobody named another."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from engagement.touches import first_touches
from leads.models import Lead
from leads.services import update_lead


def take_first_touch(*, lead_ids: Collection[int], now: datetime) -> None:
    """Let new leads that came without source, medium and campaign have those of their first touch.

    To be called once their events are theirs. What a form, an import or a person named stays.
    """
    if not lead_ids:
        return
    blank = Lead.objects.filter(pk__in=lead_ids, source="", medium="", campaign="")
    arrivals = first_touches(sorted(blank.values_list("pk", flat=True)), now)
    for lead_id, arrival in sorted(arrivals.items()):
        touch = arrival.touch
        update_lead(
            lead_id=lead_id,
            now=now,
            source=touch.source,
            medium=touch.medium,
            campaign=touch.campaign,
        )

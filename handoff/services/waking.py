"""Telling marketing that recycled leads woke up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from django.urls import reverse

from crm.common.notifications import notify
from handoff.services.people import marketers_of
from leads.models import Lead


def tell_woken(*, lead_ids: Sequence[int], now: datetime) -> None:
    """Tell who answers for each source of the leads, in one line a source.

    Runs in the transaction of the sweep, which wakes each lead once.
    """
    leads = Lead.objects.filter(pk__in=lead_ids).order_by("source", "pk")
    for source, woken in groupby(leads, key=lambda lead: lead.source):
        group = list(woken)
        first, others = group[0], len(group) - 1
        more = f" and {others} other{'s' if others > 1 else ''}" if others else ""
        notify(
            recipients=marketers_of(source),
            key=f"lead:{first.pk}:woken:{first.cycle}",
            title=f"Woke up from nurture: {first.display_name}{more}",
            body="To be looked at again.",
            url=f"{reverse('leads:list')}?view=woken"
            if others
            else reverse("leads:detail", args=[first.pk]),
            icon="refresh-cw",
            topic=f"woken:{source}",
            now=now,
        )

"""The split clocks of stored handoffs, for one page or many rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Prefetch

from handoff.business_hours import Span
from handoff.enums import Approval
from handoff.models import Excuse, Handoff, HolderInterval
from handoff.split_clock import Course, Holding, SplitClock, split

_GRANTED = Excuse.objects.filter(approval=Approval.GRANTED).order_by("started_at")
_HOLDERS = HolderInterval.objects.select_related("holder").order_by("started_at", "id")


def split_clocks(handoff_ids: Collection[int], *, now: datetime) -> Mapping[int, SplitClock]:
    """Return where the time of each handoff went up to its first touch, its end or ``now``.

    A constant number of queries, however many are asked for.
    """
    found = (
        Handoff.objects.filter(pk__in=handoff_ids)
        .only("raised_at", "opened_at", "first_touch_at", "closed_at", "calendar")
        .prefetch_related("calendar", Prefetch("holders", _HOLDERS))
    )
    excused: dict[int, list[Span]] = {}
    granted = _GRANTED.filter(clock__handoff__in=handoff_ids)
    for handoff_id, *ends in granted.values_list("clock__handoff", "started_at", "ended_at"):
        excused.setdefault(handoff_id, []).append(Span(*ends))
    return {each.pk: split(_course(each, excused.get(each.pk, ()), now)) for each in found}


def _course(handoff: Handoff, excused: Collection[Span], now: datetime) -> Course:
    ended_at = handoff.first_touch_at or handoff.closed_at or now
    return Course(
        raised_at=handoff.raised_at,
        opened_at=handoff.opened_at,
        ended_at=max(ended_at, handoff.opened_at),
        holdings=[
            Holding(each.started_at, each.holder.full_name if each.holder else "")
            for each in handoff.holders.all()
        ],
        excused=excused,
        calendar=handoff.calendar.hours,
    )

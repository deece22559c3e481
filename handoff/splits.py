"""The split clocks of stored handoffs, for one page or many rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db.models import Prefetch

from handoff.business_hours import Span
from handoff.enums import Approval
from handoff.models import Excuse, Handoff, HolderInterval
from handoff.split_clock import Course, Holding, SplitClock, split

_GRANTED = Excuse.objects.filter(approval=Approval.GRANTED).order_by("started_at")
_HOLDERS = (
    HolderInterval.objects.select_related("holder")
    .prefetch_related("calendar")
    .order_by("started_at", "id")
)


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
    return {
        each.pk: split(
            course_of(
                each,
                each.holders.all(),
                ended_at=each.first_touch_at or each.closed_at or now,
                excused=excused.get(each.pk, ()),
            )
        )
        for each in found
    }


def holders_of(handoff: Handoff) -> list[HolderInterval]:
    """Return who held ``handoff``, in order."""
    return list(_HOLDERS.filter(handoff=handoff))


def course_of(
    handoff: Handoff,
    holders: Iterable[HolderInterval],
    *,
    ended_at: datetime,
    excused: Collection[Span] = (),
) -> Course:
    """Return what happened with ``handoff`` until ``ended_at``, in the hands of ``holders``."""
    return Course(
        raised_at=handoff.raised_at,
        opened_at=handoff.opened_at,
        ended_at=max(ended_at, handoff.opened_at),
        holdings=[_holding(each, handoff) for each in holders],
        excused=excused,
        calendar=handoff.calendar.hours,
    )


def _holding(interval: HolderInterval, handoff: Handoff) -> Holding:
    return Holding(
        started_at=interval.started_at,
        holder=interval.holder_id,
        name=interval.holder.full_name if interval.holder else "",
        hours=(interval.calendar or handoff.calendar).hours,
    )

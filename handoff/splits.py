"""The split clocks of stored handoffs, for one page or many rows."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from django.db.models import Prefetch

from handoff.business_hours import CalendarInvalid, NoOpening, Span, SpanInvalid
from handoff.enums import Approval
from handoff.models import Excuse, Handoff, HolderInterval
from handoff.split_clock import Course, Holding, SplitClock, split

logger = logging.getLogger(__name__)

#: What a row can hold, by a hand on the database or an old import, that no time can be counted on.
UNCOUNTABLE = (CalendarInvalid, NoOpening, SpanInvalid)
_GRANTED = Excuse.objects.filter(approval=Approval.GRANTED).order_by("started_at")
_HOLDERS = (
    HolderInterval.objects.select_related("holder")
    .prefetch_related("calendar")
    .order_by("started_at", "id")
)


def split_clocks(
    handoff_ids: Collection[int],
    *,
    now: datetime,
    ends: Mapping[int, datetime] = MappingProxyType({}),
) -> Mapping[int, SplitClock]:
    """Return where the time of each handoff went up to its first touch, its end or ``now``.

    One whose time cannot be counted is left out, so that it does not take the others with it. A
    constant number of queries, however many are asked for.

    Args:
        handoff_ids: Whose split clocks.
        now: The end of those that still wait.
        ends: Where the clock of a handoff is to end instead.
    """
    found = (
        Handoff.objects.filter(pk__in=handoff_ids)
        .only("raised_at", "opened_at", "first_touch_at", "closed_at", "calendar")
        .prefetch_related("calendar", Prefetch("holders", _HOLDERS))
    )
    excused: dict[int, list[Span]] = {}
    granted = _GRANTED.filter(clock__handoff__in=handoff_ids)
    for handoff_id, *edges in granted.values_list("clock__handoff", "started_at", "ended_at"):
        excused.setdefault(handoff_id, []).append(Span(*edges))
    clocks: dict[int, SplitClock] = {}
    for each in found:
        ended_at = ends.get(each.pk) or each.first_touch_at or each.closed_at or now
        try:
            course = course_of(
                each, each.holders.all(), ended_at=ended_at, excused=excused.get(each.pk, ())
            )
            clocks[each.pk] = split(course)
        except UNCOUNTABLE:
            logger.exception("Could not split the clock of handoff %s", each.pk)
    return clocks


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

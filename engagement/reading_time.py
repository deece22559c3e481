"""How long pages were read: seconds that the tracker counted, told with the view of the page."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from crm.common.prepared import PreparedQuery
from engagement.enums import EventKind
from engagement.models import Event

#: A page that is left open counts no longer, and a number beyond is nobody's reading. Our choice.
_LONGEST = timedelta(days=1)

_READS = PreparedQuery(
    lambda lead, first, last: (
        Event.objects.filter(lead_id=lead, kind=EventKind.PAGE_READ)
        .filter(occurred_at__gte=first, occurred_at__lte=last)
        .order_by()
    )
)


def reading_times(lead_id: int, events: Iterable[Event]) -> dict[UUID, timedelta]:
    """Return how long the pages viewed among ``events`` of a lead were read; one query.

    Seconds belong to the last view of that page by that visitor before them.
    """
    views = [each for each in events if each.kind == EventKind.PAGE_VIEW and each.visitor_id]
    if not views:
        return {}
    views.sort(key=lambda view: view.occurred_at)
    until = views[-1].occurred_at + _LONGEST
    reads = _READS.ask(lead_id, views[0].occurred_at, until)
    pages: dict[tuple[int | None, str], list[Event]] = defaultdict(list)
    for view in views:
        pages[view.visitor_id, view.url].append(view)
    times: dict[UUID, timedelta] = defaultdict(timedelta)
    for read in reads:
        if viewed := _view_of(read, pages[read.visitor_id, read.url]):
            times[viewed.id] += timedelta(seconds=_seconds(read))
    return {view_id: time for view_id, time in times.items() if time}


def reading_words(time: timedelta) -> str:
    """Return ``Read for 48 s``, ``Read for 2 min 40 s``."""
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    parts = [f"{minutes} min" if minutes else "", f"{seconds} s" if seconds else ""]
    return f"Read for {' '.join(filter(None, parts))}"


def _view_of(read: Event, views: Sequence[Event]) -> Event | None:
    place = bisect_right(views, read.occurred_at, key=lambda view: view.occurred_at) - 1
    return views[place] if place >= 0 else None


def _seconds(read: Event) -> float:
    """Return the seconds that were told; a stranger may tell anything."""
    told = read.properties.get("seconds")
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    return float(told) if is_number and 0 < told < _LONGEST.total_seconds() else 0.0

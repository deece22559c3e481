"""One timeline from many sources: merged, cut into pages, collapsed, grouped by day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from itertools import groupby

from crm.common.slots import TimelineEntry
from crm.common.ui.timeline import TimelineItem
from crm.common.ui.words import signed
from leads.gains import name_line


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive entries, newest first; ``older_before`` asks for the next, None at the end."""

    entries: list[TimelineEntry]
    older_before: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """The lines of one day of the reader."""

    date: date
    label: str
    items: list[TimelineItem]


def merge(sources: Iterable[Sequence[TimelineEntry]], *, size: int) -> Stretch:
    """Return the newest ``size`` entries of all sources, and all others of the last one's instant.

    Each source was asked for ``size + 1`` entries and gave all of its last instant, as
    ``TimelineSource`` promises: so nothing is missing above the cut. Within one instant the order
    of the sources decides, and then their own.
    """
    given = list(sources)
    entries = [entry for source in given for entry in source]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    if len(entries) <= size:
        return Stretch(entries, None)
    last_at = entries[size - 1].at
    kept = [entry for entry in entries if entry.at >= last_at]
    has_more = len(kept) < len(entries) or any(len(source) > size for source in given)
    return Stretch(kept, last_at if has_more else None)


def by_day(entries: Sequence[TimelineEntry], *, now: datetime, zone: tzinfo) -> list[Day]:
    """Return the entries as lines under the days of ``zone``, in the order given.

    Neighbours of one day with the same key become one line.
    """
    today = now.astimezone(zone).date()
    days = groupby(entries, key=lambda entry: entry.at.astimezone(zone).date())
    return [Day(day, day_label(day, today), list(_items(group, zone))) for day, group in days]


def says(entry: TimelineEntry, words: str) -> bool:
    """Say whether an entry holds all of ``words``, or parts of words, whatever their case."""
    said = f"{entry.title} {entry.detail} {entry.tag}".casefold()
    return all(word in said for word in words.casefold().split())


def line(entry: TimelineEntry, *, zone: tzinfo) -> TimelineItem:
    """Return one entry as a line of its own."""
    return _item([entry], zone)


def day_label(day: date, today: date) -> str:
    """Return ``Today, Tue 12 May``, ``Yesterday, Mon 11 May``, ``Sat 9 May``, with year if old."""
    words = f"{day:%a} {day.day} {day:%b}" + ("" if day.year == today.year else f" {day.year}")
    prefix = {0: "Today, ", 1: "Yesterday, "}.get((today - day).days, "")
    return prefix + words


def count_kinds(entries: Iterable[TimelineEntry]) -> dict[str, int]:
    """Return how many entries there are of each kind."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.kind] = counts.get(entry.kind, 0) + 1
    return counts


def _items(entries: Iterable[TimelineEntry], zone: tzinfo) -> Iterator[TimelineItem]:
    numbered = enumerate(entries)
    named: set[str] = set()
    for _, run in groupby(numbered, key=lambda pair: pair[1].key or pair[0]):
        item = _item([entry for _, entry in run], zone)
        yield replace(item, gain="") if item.gain in named else item
        named.add(item.gain)


def _item(run: Sequence[TimelineEntry], zone: tzinfo) -> TimelineItem:
    """Return a run as one line; its points are the sum of what each one earned."""
    newest, oldest = run[0], run[-1]
    known = [entry.points for entry in run if entry.points is not None]
    times = len(run)
    is_alike = all(entry.detail == newest.detail for entry in run) and newest.detail
    span = f"{oldest.at.astimezone(zone):%H:%M} to {newest.at.astimezone(zone):%H:%M}"
    if newest.tone == "machine":
        span = f"Machine events, never scored. {span}"
    return TimelineItem(
        at=newest.at,
        kind="act" if newest.tone == "plain" else newest.tone,
        icon=newest.icon,
        title=newest.title if times == 1 else f"{newest.title}, {times} times",
        detail=newest.detail if times == 1 or is_alike else span,
        tag=newest.tag,
        points=signed(sum(known, Decimal(0))) if known else None,
        gain=name_line([entry.at for entry in run if entry.earns]),
        url=newest.url,
        act=newest.act if times == 1 else None,
        repeats=[_item([entry], zone) for entry in run] if times > 1 else [],
    )

"""The timeline of a lead as its page shows it: asked of every source, by kind, moment and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import urlencode

from django.utils import timezone

from crm.accounts.models import User
from crm.common.prepared import FAR, that_have_rows
from crm.common.slots import TimelineEntry, TimelineSource, timeline_sources
from leads.models import Lead
from leads.timeline import Day, Stretch, by_day, count_kinds, merge, says

_STRETCH = 30
#: A search goes through so many entries at a time, and then asks whether to go on; our choice: the
#: first takes some milliseconds, a page waits less than a second for the other.
_PIECE, _MOST_SEARCHED = 200, 2_000
_KIND_LABELS = {
    "": "All", "acts": "Acts", "score": "Score", "sales": "Sales", "machines": "Machines",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimelineQuestion:
    """What is asked of a timeline: a kind, words that entries hold, what is older than a moment.

    Empty and None ask for everything.
    """

    kind: str = ""
    words: str = ""
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class KindFilter:
    """One filter of the timeline; ``count`` is None when not everything was read."""

    kind: str
    label: str
    count: int | None
    query: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """One stretch of a timeline as the page shows it."""

    asked: TimelineQuestion
    filters: list[KindFilter]
    days: list[Day]
    older_before: datetime | None
    continues: date | None
    silences: list[str]

    @property
    def query(self) -> str:
        """Return the parameters that ask for the newest of the same."""
        return _query(self.asked)

    @property
    def older_query(self) -> str:
        """Return the parameters that ask for what is older; empty when nothing is."""
        if self.older_before is None:
            return ""
        return _query(replace(self.asked, before=self.older_before))

    @property
    def gains_query(self) -> str:
        """Return the query that asks for the points of its lines; empty when none can have any."""
        names = [item.gain for day in self.days for item in day.items if item.gain]
        return urlencode([("line", name) for name in names])


def read_timeline(lead: Lead, asked: TimelineQuestion, *, viewer: User) -> Timeline:
    """Return the stretch of the timeline of ``lead`` that is asked for, in the active zone."""
    zone = timezone.get_current_timezone()
    stretch = _read(lead.pk, replace(asked, kind=""), viewer)
    is_whole = not (asked.before or stretch.older_before)
    counts = count_kinds(stretch.entries) if is_whole else None
    if asked.kind and stretch.older_before:
        stretch = _read(lead.pk, asked, viewer)
    entries = [entry for entry in stretch.entries if asked.kind in {"", entry.kind}]
    return Timeline(
        asked=asked,
        filters=_filters(asked, counts),
        days=by_day(entries, now=timezone.now(), zone=zone),
        older_before=stretch.older_before,
        continues=asked.before.astimezone(zone).date() if asked.before else None,
        silences=[] if asked.words else _silences(lead.pk, counts, asked.kind, viewer),
    )


def _read(lead_id: int, asked: TimelineQuestion, viewer: User) -> Stretch:
    """Return the newest that is asked for; a search stops when it has found or read enough."""
    if not asked.words:
        return _stretch(lead_id, asked, viewer, size=_STRETCH)
    found: list[TimelineEntry] = []
    read = 0
    while True:
        piece = _stretch(lead_id, asked, viewer, size=_PIECE)
        read += len(piece.entries)
        found += [entry for entry in piece.entries if says(entry, asked.words)]
        if piece.older_before is None or len(found) >= _STRETCH or read >= _MOST_SEARCHED:
            shown = merge([found], size=_STRETCH)
            return Stretch(shown.entries, shown.older_before or piece.older_before)
        asked = replace(asked, before=piece.older_before)


def _stretch(lead_id: int, asked: TimelineQuestion, viewer: User, *, size: int) -> Stretch:
    """Ask every source that holds entries of the kind; of most leads only a few hold any."""
    sources = [
        source for source in timeline_sources if not asked.kind or asked.kind in source.kinds
    ]
    given = [
        list(source.load(lead_id, viewer, asked.before, size + 1))
        for source in _that_hold(sources, lead_id, asked.before)
    ]
    return merge(given, size=size)


def _that_hold(
    sources: Sequence[TimelineSource], lead_id: int, before: datetime | None
) -> list[TimelineSource]:
    """Return the sources that may have entries of a lead before a moment, by one query."""
    reads = tuple(query for source in sources for query in source.reads)
    held = that_have_rows(reads, lead_id, before or FAR)
    return [source for source in sources if not source.reads or held.intersection(source.reads)]


def _silences(lead_id: int, counts: Mapping[str, int] | None, kind: str, viewer: User) -> list[str]:
    """Return why there is nothing of some kinds; of a timeline read in part nobody can say."""
    if counts is None:
        return []
    silent = [
        source.silence
        for source in timeline_sources
        if source.silence
        and (not kind or kind in source.kinds)
        and not any(counts.get(each) for each in source.kinds)
    ]
    return [silence(lead_id, viewer, timezone.now()) for silence in silent]


def _filters(asked: TimelineQuestion, counts: Mapping[str, int] | None) -> list[KindFilter]:
    known = {"": sum(counts.values()), **counts} if counts is not None else None
    return [
        KindFilter(
            kind, label, None if known is None else known.get(kind, 0),
            _query(replace(asked, kind=kind, before=None)),
        )
        for kind, label in _KIND_LABELS.items()
    ]  # fmt: skip


def _query(asked: TimelineQuestion) -> str:
    """Return the parameters of an address; what is not asked for is left out."""
    before = asked.before.isoformat() if asked.before else ""
    named = {"kind": asked.kind, "q": asked.words, "before": before}
    return urlencode({name: value for name, value in named.items() if value})

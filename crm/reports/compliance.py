"""SLA compliance: how many clocks were kept, and how long answers took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from crm.accounts.models import SalesTeam, User
from crm.common.ui.spans import SegmentKind
from crm.reports.days import Sql, fetched
from crm.reports.minutes import read_minutes, time_within
from crm.reports.standing import NOBODY, By, Scope
from crm.reports.sums import ADDED, COUNTS, USED, Slot, sums
from handoff.business_hours import working_time_between
from handoff.models import WorkCalendar
from handoff.splits import UNCOUNTABLE
from leads.normalise import source_label


@dataclass(frozen=True)
class ComplianceRow:
    """Counts of one row; ``key`` is what a link filters by, ``label`` what people read.

    ``median`` and ``p90`` are the working time within which so many of the answers came, in whole
    minutes, a begun one counted; empty when nothing was answered. ``used`` counts the answers in
    time by the quarter of the target that they took. ``still_open`` are those that run at the
    moment of asking, due or not; ``open_for`` is the working time of what has
    waited the longest. The whole has no key.
    """

    key: str
    label: str
    received: int
    on_time: int
    late: int
    not_yet_due: int
    excused: int
    withdrawn: int
    still_open: int
    median: timedelta | None
    p90: timedelta | None
    answered: int
    used: Sequence[int]
    open_for: timedelta | None

    @property
    def due(self) -> int:
        """Return the sample of the percentage: what was kept or missed by now."""
        return self.on_time + self.late

    @property
    def missed(self) -> int:
        """Return how many fell due unanswered, those among them that were excused."""
        return self.late + self.excused

    @property
    def share(self) -> float | None:
        """Return the part kept, 0 to 1; None when nothing was due (never 100 %)."""
        return self.on_time / self.due if self.due else None


_NONE: Mapping[str, Any] = {
    **dict.fromkeys(ADDED, 0), "minutes": b"", "open_since": None, "open_calendar": None,
    "open_for": None,
}  # fmt: skip


@dataclass(frozen=True)
class Arrivals:
    """Handoffs that came in one hour of the week; ``weekday`` 1 is Monday."""

    weekday: int
    hour: int
    received: int
    late: int


@dataclass(frozen=True)
class TimeSpent:
    """Where the time of ``handoffs`` went that were touched or ended: wall time by account."""

    handoffs: int
    spent: Mapping[SegmentKind, timedelta]

    @property
    def whole(self) -> timedelta:
        """Return their speed to lead, added up."""
        return sum(self.spent.values(), timedelta())


@dataclass(frozen=True)
class Compliance:
    """The figures of one scope: whole, the same over the period before, rows, weeks and hours.

    ``split`` is empty but for first touches, where the split clock ends.
    """

    whole: ComplianceRow
    before: ComplianceRow
    rows: list[ComplianceRow]
    weeks: list[ComplianceRow]
    arrivals: list[Arrivals]
    split: TimeSpent


def compliance(scope: Scope, by: By, *, since: datetime, now: datetime) -> Compliance:
    """Return the figures of a scope, read in one statement.

    Args:
        scope: which clocks are counted, by the days of the active zone.
        by: what the rows are; worst share first, weeks in order.
        since: start of the period before, which ends where that of ``scope`` starts.
        now: the moment at which the clocks are looked at.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for each in _with_open(fetched(_figures(scope, by, since, now)), now):
        found[each["part"]][each["key"]] = each
    whole = found["whole"].get("", _NONE)
    weeks = [_week(key, each) for key, each in sorted(found["week"].items())]
    return Compliance(
        whole=_counted("", "", whole),
        before=_counted("", "", found["before"].get("", _NONE)),
        rows=weeks if by is By.WEEK else _labelled(by, found["row"]),
        weeks=weeks,
        arrivals=[_arrivals(key, each) for key, each in found["hour"].items()],
        split=_split(whole),
    )


def _with_open(rows: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[Mapping[str, Any]]:
    """Add to each row how long its longest open clock has run, on the hours that it is pinned to.

    Of an hour of arrival nobody asks that.
    """
    ids = {row["open_calendar"] for row in rows} - {None}
    calendars = WorkCalendar.objects.in_bulk(ids)
    for row in rows:
        since = row["open_since"] if row["part"] != "hour" else None
        calendar = calendars.get(row["open_calendar"])
        yield {**row, "open_for": since and calendar and _open_for(since, calendar, now)}


def _open_for(since: datetime, calendar: WorkCalendar, now: datetime) -> timedelta | None:
    with suppress(*UNCOUNTABLE):
        return working_time_between(since, max(since, now), calendar.hours)
    return None


def _figures(scope: Scope, by: By, since: datetime, now: datetime) -> Sql:
    """Return the statement for all figures: the sums of the days put together as they are shown."""
    rows = [] if by is By.WEEK else [Slot(by.value)]
    tables = sums(scope, [Slot.ALL, Slot.HOUR, *rows], since=since, now=now)
    counts = ", ".join(f"sum({each})::bigint AS {each}" for each in ADDED)
    counts += """, min(open_since) AS open_since, (array_agg(open_calendar ORDER BY open_since)
        FILTER (WHERE open_since IS NOT NULL))[1] AS open_calendar"""
    spans = "string_agg(minutes, '') AS minutes"
    text = f"""
        {tables.text}
        SELECT CASE WHEN began_at < %(start)s THEN 'before' ELSE 'whole' END AS part, '' AS key,
            {counts}, {spans}
        FROM part WHERE by = '' GROUP BY 1
        UNION ALL
        SELECT 'week', (day - extract(isodow FROM day)::int + 1)::text,
            {counts}, {spans if by is By.WEEK else "NULL"}
        FROM part WHERE by = '' AND began_at >= %(start)s GROUP BY 2
        UNION ALL
        SELECT 'row', key, {counts}, {spans} FROM part WHERE by = %(rows)s GROUP BY 2
        UNION ALL
        SELECT 'hour', extract(isodow FROM day) || '-' || key, {counts}, NULL
        FROM part WHERE by = '{Slot.HOUR}' GROUP BY 2"""  # noqa: S608 -- names from this module
    return Sql(text, {**tables.params, "rows": by.value})


def _counted(key: str, label: str, figures: Mapping[str, Any]) -> ComplianceRow:
    spans = read_minutes(figures["minutes"])
    return ComplianceRow(
        key,
        label,
        median=time_within(spans, 50),
        p90=time_within(spans, 90),
        answered=len(spans),
        used=_used(figures),
        open_for=figures["open_for"],
        **{name: figures[name] for name in COUNTS},
    )


def _used(figures: Mapping[str, Any]) -> Sequence[int]:
    quick = [figures[name] for name in USED]
    return [*quick, figures["on_time"] - sum(quick)]


def _week(key: str, figures: Mapping[str, Any]) -> ComplianceRow:
    monday = date.fromisoformat(key)
    return _counted(key, f"{monday.day} {monday:%b}", figures)


def _arrivals(key: str, figures: Mapping[str, Any]) -> Arrivals:
    weekday, hour = map(int, key.split("-"))
    return Arrivals(weekday, hour, figures["received"], figures["late"])


def _split(figures: Mapping[str, Any]) -> TimeSpent:
    handoffs = figures["split"] or 0
    spent = {each: figures[f"split_{each.replace('-', '_')}"] for each in SegmentKind}
    return TimeSpent(
        handoffs=handoffs,
        spent={kind: timedelta(seconds=int(each)) for kind, each in spent.items() if handoffs},
    )


def _labelled(by: By, found: Mapping[str, Mapping[str, Any]]) -> list[ComplianceRow]:
    """Return the rows of a table as people know them, worst share first."""
    labels = labels_of(by, found)
    rows = [_counted(key, labels[key], each) for key, each in found.items()]
    return sorted(rows, key=lambda row: (row.share if row.share is not None else 2, row.label))


def labels_of(by: By, keys: Iterable[str]) -> Mapping[str, str]:
    """Return what people call the rows of ``keys``."""
    names: Mapping[str, str] = {}
    if by in (By.REP, By.TEAM):
        model, name = (User, "full_name") if by is By.REP else (SalesTeam, "name")
        ids = [int(key) for key in keys if key != NOBODY]
        found = model._default_manager.filter(pk__in=ids).values_list("pk", name)
        names = {str(pk): name for pk, name in found}
    return {key: _NAMELESS[by] if key == NOBODY else _label(by, key, names) for key in keys}


def _label(by: By, key: str, names: Mapping[str, str]) -> str:
    if by is By.SOURCE:
        return source_label(key)
    if by is By.VERSION:
        return f"Version {key}"
    return names.get(key, key)


_NAMELESS = {
    By.REP: "Nobody",
    By.TEAM: "No team",
    By.TIER: "Default policy",
    By.SOURCE: "No source",
    By.VERSION: "Default policy",
}

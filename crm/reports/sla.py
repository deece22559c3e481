"""SLA compliance: which clocks were kept, read from when they started, fell due and stopped.

No figure reads a flag that a sweep sets, so all are right even if no sweep ran. A clock that is not
yet due, was excused, or was withdrawn before it was due, counts neither as kept nor as late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, NullIf, TruncWeek

from crm.reports.outcomes import OUTCOMES, Outcome
from handoff.business_hours import working_time_between
from handoff.enums import ClockKind
from handoff.models import Clock, Excuse, Handoff
from handoff.split_clock import SplitClock
from handoff.splits import split_clocks
from leads.normalise import source_label


class Standing(StrEnum):
    """What a clock counts as at a moment."""

    ON_TIME = "on_time"
    LATE = "late"
    NOT_YET_DUE = "not_yet_due"
    EXCUSED = "excused"
    WITHDRAWN = "withdrawn"


#: Fell due unanswered: an excuse takes a breach out of the percentage, not out of the record.
MISSED = (Standing.LATE, Standing.EXCUSED)

STANDING_LABELS = {
    Standing.ON_TIME: "On time",
    Standing.LATE: "Late",
    Standing.NOT_YET_DUE: "Not yet due",
    Standing.EXCUSED: "Excused",
    Standing.WITHDRAWN: "Withdrawn",
}


class By(StrEnum):
    """What the rows of a compliance table are."""

    REP = "rep"
    TEAM = "team"
    TIER = "tier"
    SOURCE = "source"
    WEEK = "week"


@dataclass(frozen=True)
class Scope:
    """Which clocks are counted: one kind, of handoffs opened from ``start`` to ``end`` (not).

    ``only`` narrows to the row of a key; ``NOBODY`` is the one without rep, team, tier or source.
    ``outcome`` narrows to what became of the handoff, ``arrived`` to a weekday (1 is Monday) and
    hour of the active zone. A clock starts when its handoff is opened, so it says when that was.
    """

    kind: ClockKind
    start: datetime
    end: datetime
    only: Mapping[By, str] = field(default_factory=dict)
    outcome: Outcome | None = None
    arrived: tuple[int, int] | None = None


@dataclass(frozen=True)
class ComplianceRow:
    """Counts of one row; spans are working time, empty when nothing was answered.

    ``key`` is what a link filters by, ``label`` what people read; the whole has neither.
    """

    key: str
    label: str
    received: int
    on_time: int
    late: int
    not_yet_due: int
    excused: int
    withdrawn: int
    median: timedelta | None
    p90: timedelta | None
    answered: int

    @property
    def due(self) -> int:
        """Return the sample of the percentage: what was kept or missed by now."""
        return self.on_time + self.late

    @property
    def share(self) -> float | None:
        """Return the part kept, 0 to 1; None when nothing was due (never 100 %)."""
        return self.on_time / self.due if self.due else None


_NOTHING = ComplianceRow(
    "", "", received=0, on_time=0, late=0, not_yet_due=0, excused=0, withdrawn=0, median=None,
    p90=None, answered=0,
)  # fmt: skip


@dataclass(frozen=True)
class Compliance:
    """The figures of one scope: whole, the same over the period before, its rows and its weeks."""

    whole: ComplianceRow
    before: ComplianceRow
    rows: list[ComplianceRow]
    weeks: list[ComplianceRow]


def clocks(scope: Scope, *, now: datetime) -> QuerySet[Any]:
    """Return the clocks of ``scope``, each with its ``standing`` at ``now``."""
    filters = Q(kind=scope.kind, started_at__gte=scope.start, started_at__lt=scope.end)
    for by, value in scope.only.items():
        filters &= _only(by, value)
    if scope.outcome is not None:
        filters &= OUTCOMES[scope.outcome]
    if scope.arrived is not None:
        weekday, hour = scope.arrived
        filters &= Q(started_at__iso_week_day=weekday, started_at__hour=hour)
    return Clock.objects.filter(filters).annotate(standing=standing(now))


def _only(by: By, value: str) -> Q:
    """Return the condition that leaves one row of a table."""
    if by is By.TIER:
        return _of_tier(value)
    column, empty = _COLUMNS[by]
    return Q(**{column: value}) if value != NOBODY else Q(**empty)


def _of_tier(name: str) -> Q:
    """Return the condition that ``_TIER`` is ``name``; an empty priority names none."""
    untiered = Q(handoff__tier=None)
    if name == NOBODY:
        return untiered & (Q(**{f"{_PRIORITY}__isnull": True}) | Q(**{_PRIORITY: ""}))
    return Q(handoff__tier__name=name) | (untiered & Q(**{_PRIORITY: name}))


def standing(now: datetime) -> Case:
    """Return the expression for what a clock counts as at ``now``."""
    ended = Coalesce("stopped_at", "withdrawn_at", Value(now))
    return Case(
        When(stopped_at__lte=F("due_at"), then=Value(Standing.ON_TIME.value)),
        When(due_at__lt=ended, excused_at__isnull=False, then=Value(Standing.EXCUSED.value)),
        When(due_at__lt=ended, then=Value(Standing.LATE.value)),
        When(withdrawn_at__isnull=False, then=Value(Standing.WITHDRAWN.value)),
        default=Value(Standing.NOT_YET_DUE.value),
        output_field=CharField(),
    )


NOBODY = "-"
#: What the tool that a handoff was imported from calls a tier.
_PRIORITY = "handoff__imported__priority"
_TIER = Coalesce(F("handoff__tier__name"), NullIf(F(_PRIORITY), Value("")))
_COLUMNS: Mapping[By, tuple[str, dict[str, Any]]] = {
    By.REP: ("answerable", {"answerable": None}),
    By.TEAM: ("handoff__team", {"handoff__team": None}),
    By.SOURCE: ("handoff__lead__source", {"handoff__lead__source": ""}),
}
_BY: dict[By, tuple[Any, Any]] = {
    By.REP: (F("answerable"), Coalesce(F("answerable__full_name"), Value("Nobody"))),
    By.TEAM: (F("handoff__team"), Coalesce(F("handoff__team__name"), Value("No team"))),
    By.TIER: (_TIER, Coalesce(_TIER, Value("Default policy"))),
    By.SOURCE: (F("handoff__lead__source"), F("handoff__lead__source")),
    By.WEEK: (TruncWeek("started_at"), TruncWeek("started_at")),
}


def compliance(scope: Scope, by: By, *, since: datetime, now: datetime) -> Compliance:
    """Return the figures of a scope, read in one pass.

    Args:
        scope: which clocks are counted.
        by: what the rows are; worst share first, weeks in order.
        since: start of the period before, which ends where that of ``scope`` starts.
        now: the moment at which the clocks are looked at.
    """
    found: dict[tuple[int, bool], list[Mapping[str, Any]]] = defaultdict(list)
    for each in _figures(_asked(scope, by, since, now)):
        found[each["of"], each["is_before"]].append(each)
    rows = [_row(each, by, each["key"], each["label"]) for each in found[_OF_KEY, False]]
    weeks = [_row(each, By.WEEK, each["week"]) for each in found[_OF_WEEK, False]]
    return Compliance(
        whole=_whole(found[_OF_ALL, False]),
        before=_whole(found[_OF_ALL, True]),
        rows=sorted(rows, key=_in_time if by is By.WEEK else _worst_first),
        weeks=sorted(weeks, key=_in_time),
    )


def _asked(scope: Scope, by: By, since: datetime, now: datetime) -> QuerySet[Any, Any]:
    """Return what the figures ask of each clock: the lists and the CSV hold the same clocks."""
    key, label = _BY[by]
    return clocks(replace(scope, start=since), now=now).values(
        "standing", "elapsed", key=key, label=label, week=TruncWeek("started_at"),
        is_before=Q(started_at__lt=scope.start),
        is_answered=Q(stopped_at__isnull=False),
    )  # fmt: skip


# What grouping(key, week) says of a row: its bits are set for what is rolled up.
_OF_KEY, _OF_WEEK, _OF_ALL = 1, 2, 3
_ANSWERED = "FILTER (WHERE is_answered)"
_SELECTED = ", ".join(
    [
        "is_before, key, label, week, grouping(key, week) AS of, count(*) AS received",
        *(f"count(*) FILTER (WHERE standing = '{each}') AS {each}" for each in Standing),
        f"percentile_cont(0.5) WITHIN GROUP (ORDER BY elapsed) {_ANSWERED} AS median",
        f"percentile_cont(0.9) WITHIN GROUP (ORDER BY elapsed) {_ANSWERED} AS p90",
        f"count(*) {_ANSWERED} AS answered",
    ]
)


def _figures(asked: QuerySet[Any, Any]) -> list[Mapping[str, Any]]:
    """Return the figures of both periods, of each key and of each week."""
    clocks_sql, params = asked.query.sql_with_params()
    sql = f"""SELECT {_SELECTED} FROM ({clocks_sql}) AS clock
      GROUP BY GROUPING SETS ((is_before), (is_before, key, label), (is_before, week))
    """  # noqa: S608 -- names from this module, and the values apart
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _whole(figures: Sequence[Mapping[str, Any]]) -> ComplianceRow:
    """Return the one row of a period; a period without clocks has none."""
    return _counted("", "", figures[0]) if figures else _NOTHING


def _row(figures: Mapping[str, Any], by: By, key: Any, label: str = "") -> ComplianceRow:
    """Return the row of one key."""
    if by is By.WEEK:
        return _counted(key.date().isoformat(), f"{key.day} {key:%b}", figures)
    if by is By.SOURCE:
        label = source_label(key) or "No source"
    return _counted(NOBODY if key in (None, "") else str(key), label, figures)


def _counted(key: str, label: str, figures: Mapping[str, Any]) -> ComplianceRow:
    names = ("received", "median", "p90", "answered", *Standing)
    return ComplianceRow(key, label, **{str(name): figures[str(name)] for name in names})


def _in_time(row: ComplianceRow) -> tuple[float, str]:
    return (0, row.key)


def _worst_first(row: ComplianceRow) -> tuple[float, str]:
    return (row.share if row.share is not None else 2, row.label)


@dataclass(frozen=True)
class ClockLine:
    """One clock as the breach log shows it; spans are working time on the handoff's calendar."""

    clock: Clock
    standing: str
    elapsed: timedelta
    over_by: timedelta | None
    is_running: bool
    is_excused: bool = False
    tier: str = ""
    split: SplitClock | None = None
    excuse: Excuse | None = None


def counted(scope: Scope, chosen: Standing | None, *, now: datetime) -> QuerySet[Any]:
    """Return exactly the clocks that a figure counts; ``chosen`` None means all received."""
    found = clocks(scope, now=now)
    return found if chosen is None else found.filter(standing=chosen.value)


def breach_log(scope: Scope, *, now: datetime, limit: int = 20) -> list[ClockLine]:
    """Return the latest missed clocks, newest due time first, with where their time went.

    Excused ones are among them and say so: they count apart, but they are breaches.
    """
    missed = for_lines(clocks(scope, now=now).filter(standing__in=MISSED))
    found = list(missed.order_by("-due_at", "-id")[:limit])
    splits = split_clocks([clock.handoff_id for clock in found], now=now)
    asked = Excuse.objects.filter(clock__in=found).order_by("id")
    excuses = {excuse.clock_id: excuse for excuse in asked}
    return [
        replace(
            clock_line(clock, now=now),
            split=splits.get(clock.handoff_id),
            excuse=excuses.get(clock.pk),
        )
        for clock in found
    ]


def for_lines(clocks: QuerySet[Any]) -> QuerySet[Any]:
    """Return ``clocks`` with what their lines say, and without the wide rest of a handoff."""
    handoff = [f"handoff__{name}" for name in ("opened_at", "tier__name", "calendar")]
    lead = [f"handoff__lead__{name}" for name in ("first_name", "last_name", "email")]
    person = ["answerable__full_name", "answerable__email"]
    return clocks.select_related(
        "handoff__lead", "handoff__tier", "handoff__calendar", "handoff__imported", "answerable"
    ).only(
        "kind", "started_at", "due_at", "target", "stopped_at", "withdrawn_at",
        "excused_at", "handoff__imported__priority", *handoff, *lead, *person,
        "handoff__calendar__definition", "handoff__calendar__public_days",
    )  # fmt: skip


def clock_line(clock: Any, *, now: datetime) -> ClockLine:
    """Return one clock, annotated with its ``standing``, with its working time up to ``now``."""
    ended = clock.stopped_at or clock.withdrawn_at or now
    elapsed = working_time_between(clock.started_at, ended, clock.handoff.calendar.hours)
    return ClockLine(
        clock=clock,
        standing=STANDING_LABELS[Standing(clock.standing)],
        elapsed=elapsed,
        over_by=elapsed - clock.target if clock.standing in MISSED else None,
        is_running=clock.stopped_at is None and clock.withdrawn_at is None,
        is_excused=clock.standing == Standing.EXCUSED,
        tier=tier_label(clock.handoff),
    )


def counted_rows(
    scope: Scope, chosen: Standing | None, *, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """Yield one row per counted clock, as ``pages.SLA_HEADER`` names them."""
    return rows_of(counted(scope, chosen, now=now))


def rows_of(clocks: QuerySet[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield one row per clock, as ``pages.SLA_HEADER`` names them."""
    found = clocks.select_related(
        "handoff__lead", "handoff__tier", "handoff__team", "handoff__imported", "answerable"
    )
    for clock in found.order_by("started_at", "id").iterator(chunk_size=2000):
        handoff = clock.handoff
        yield (
            handoff.pk, handoff.lead_id, handoff.lead.display_name, clock.answerable or "",
            handoff.team or "", tier_label(handoff), handoff.lead.source, clock.kind,
            handoff.opened_at, clock.due_at, clock.stopped_at, _minutes(clock.target),
            _minutes(clock.elapsed), clock.standing,
        )  # fmt: skip


def tier_label(handoff: Handoff) -> str:
    """Return the tier of a handoff, or what another tool called it; empty under no agreement."""
    if handoff.tier is not None:
        return handoff.tier.name
    imported = getattr(handoff, "imported", None)
    return imported.priority if imported else ""


def _minutes(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() / 60, 1)

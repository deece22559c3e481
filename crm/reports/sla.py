"""SLA compliance: which clocks were kept, read from when they started, fell due and stopped.

No figure reads a flag that a sweep sets, so all are right even if no sweep ran. A clock that is not
yet due, or was withdrawn before it was, counts neither as kept nor as late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import (
    Aggregate,
    Case,
    CharField,
    Count,
    DurationField,
    F,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncWeek

from handoff.business_hours import working_time_between
from handoff.enums import ClockKind
from handoff.models import Clock
from leads.normalise import source_label


class Standing(StrEnum):
    """What a clock counts as at a moment."""

    ON_TIME = "on_time"
    LATE = "late"
    NOT_YET_DUE = "not_yet_due"
    WITHDRAWN = "withdrawn"


STANDING_LABELS = {
    Standing.ON_TIME: "On time",
    Standing.LATE: "Late",
    Standing.NOT_YET_DUE: "Not yet due",
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
    """

    kind: ClockKind
    start: datetime
    end: datetime
    only: Mapping[By, str] = field(default_factory=dict)


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


class Percentile(Aggregate):
    """``percentile_cont``: the value below which ``fraction`` of the sorted values lie."""

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    name = "Percentile"

    def __init__(self, expression: str, fraction: float, **extra: Any) -> None:
        """Aggregate spans; ``fraction`` is 0 to 1."""
        super().__init__(expression, fraction=fraction, output_field=DurationField(), **extra)


def clocks(scope: Scope, *, now: datetime) -> QuerySet[Any]:
    """Return the clocks of ``scope``, each with its ``standing`` at ``now``."""
    filters = Q(
        kind=scope.kind, handoff__opened_at__gte=scope.start, handoff__opened_at__lt=scope.end
    )
    for by, value in scope.only.items():
        column, empty = _COLUMNS[by]
        filters &= Q(**({column: value} if value != NOBODY else empty))
    return Clock.objects.filter(filters).annotate(standing=standing(now))


def standing(now: datetime) -> Case:
    """Return the expression for what a clock counts as at ``now``."""
    ended = Coalesce("stopped_at", "withdrawn_at", Value(now))
    return Case(
        When(stopped_at__lte=F("due_at"), then=Value(Standing.ON_TIME.value)),
        When(due_at__lt=ended, then=Value(Standing.LATE.value)),
        When(withdrawn_at__isnull=False, then=Value(Standing.WITHDRAWN.value)),
        default=Value(Standing.NOT_YET_DUE.value),
        output_field=CharField(),
    )


NOBODY = "-"
_COLUMNS: Mapping[By, tuple[str, dict[str, Any]]] = {
    By.REP: ("answerable", {"answerable": None}),
    By.TEAM: ("handoff__team", {"handoff__team": None}),
    By.TIER: ("handoff__tier__name", {"handoff__tier": None}),
    By.SOURCE: ("handoff__lead__source", {"handoff__lead__source": ""}),
}
_BY: dict[By, tuple[Any, Any]] = {
    By.REP: (F("answerable"), Coalesce(F("answerable__full_name"), Value("Nobody"))),
    By.TEAM: (F("handoff__team"), Coalesce(F("handoff__team__name"), Value("No team"))),
    By.TIER: (
        F("handoff__tier__name"),
        Coalesce(F("handoff__tier__name"), Value("Default policy")),
    ),
    By.SOURCE: (F("handoff__lead__source"), F("handoff__lead__source")),
    By.WEEK: (TruncWeek("handoff__opened_at"), TruncWeek("handoff__opened_at")),
}


def compliance(scope: Scope, *, now: datetime) -> ComplianceRow:
    """Return the figures of the whole scope."""
    figures = clocks(scope, now=now).aggregate(**_figures())
    return _row("", "", figures)


def compliance_by(scope: Scope, by: By, *, now: datetime) -> list[ComplianceRow]:
    """Return one row per rep, team, tier, source or week; worst share first, weeks in order."""
    key, label = _BY[by]
    groups = clocks(scope, now=now).values(group=key, group_label=label).annotate(**_figures())
    rows = [_row(*_named(by, each), each) for each in groups]
    if by is By.WEEK:
        return sorted(rows, key=lambda row: row.key)
    return sorted(rows, key=lambda row: (row.share if row.share is not None else 2, row.label))


def _named(by: By, group: Mapping[str, Any]) -> tuple[str, str]:
    """Return the key and the label of a group."""
    key, label = group["group"], group["group_label"]
    if by is By.WEEK:
        return key.date().isoformat(), f"{key.day} {key:%b}"
    if by is By.SOURCE:
        label = source_label(key) or "No source"
    return (NOBODY if key in (None, "") else str(key)), label


def _figures() -> dict[str, Any]:
    """Return the aggregates of a row."""
    stopped = Q(stopped_at__isnull=False)
    return {
        "received": Count("id"),
        **{each.value: Count("id", filter=Q(standing=each.value)) for each in Standing},
        "median": Percentile("elapsed", 0.5, filter=stopped),
        "p90": Percentile("elapsed", 0.9, filter=stopped),
        "answered": Count("id", filter=stopped),
    }


def _row(key: str, label: str, figures: Mapping[str, Any]) -> ComplianceRow:
    names = ("received", "median", "p90", "answered", *Standing)
    return ComplianceRow(key, label, **{str(name): figures[str(name)] for name in names})


@dataclass(frozen=True)
class LiveFigures:
    """How things stand at this moment, whatever the period of the page."""

    running: int
    at_risk: int
    unaccepted: int
    overdue: int


def live_figures(kind: ClockKind, *, now: datetime) -> LiveFigures:
    """Return what is open at ``now``; at risk is past 75 % of the working time, not yet due."""
    running = Clock.objects.running().filter(kind=kind)
    waiting = Clock.objects.running().filter(kind=ClockKind.ACCEPT)
    return LiveFigures(
        running=running.count(),
        at_risk=Clock.objects.at_risk(now).filter(kind=kind).count(),
        unaccepted=waiting.count(),
        overdue=waiting.filter(due_at__lt=now).count(),
    )


@dataclass(frozen=True)
class ClockLine:
    """One clock as the breach log shows it; spans are working time on the handoff's calendar."""

    clock: Clock
    standing: str
    elapsed: timedelta
    over_by: timedelta | None
    is_running: bool


def counted(scope: Scope, chosen: Standing | None, *, now: datetime) -> QuerySet[Any]:
    """Return exactly the clocks that a figure counts; ``chosen`` None means all received."""
    found = clocks(scope, now=now)
    return found if chosen is None else found.filter(standing=chosen.value)


def breach_log(scope: Scope, *, now: datetime, limit: int = 20) -> list[ClockLine]:
    """Return the latest missed clocks, newest due time first."""
    missed = counted(scope, Standing.LATE, now=now).select_related(
        "handoff__lead", "handoff__tier", "handoff__calendar", "answerable"
    )
    return [clock_line(clock, now=now) for clock in missed.order_by("-due_at", "-id")[:limit]]


def clock_line(clock: Any, *, now: datetime) -> ClockLine:
    """Return one clock, annotated with its ``standing``, with its working time up to ``now``."""
    ended = clock.stopped_at or clock.withdrawn_at or now
    elapsed = working_time_between(clock.started_at, ended, clock.handoff.calendar.hours)
    late = clock.standing == Standing.LATE
    return ClockLine(
        clock=clock,
        standing=STANDING_LABELS[Standing(clock.standing)],
        elapsed=elapsed,
        over_by=elapsed - clock.target if late else None,
        is_running=clock.stopped_at is None and clock.withdrawn_at is None,
    )


def counted_rows(
    scope: Scope, chosen: Standing | None, *, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """Yield one row per counted clock, as ``pages.SLA_HEADER`` names them."""
    found = counted(scope, chosen, now=now).select_related(
        "handoff__lead", "handoff__tier", "handoff__team", "answerable"
    )
    for clock in found.order_by("handoff__opened_at", "id").iterator(chunk_size=2000):
        handoff = clock.handoff
        yield (
            handoff.pk, handoff.lead_id, handoff.lead.display_name, clock.answerable or "",
            handoff.team or "", handoff.tier or "", handoff.lead.source, clock.kind,
            handoff.opened_at, clock.due_at, clock.stopped_at, _minutes(clock.target),
            _minutes(clock.elapsed), clock.standing,
        )  # fmt: skip


def _minutes(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() / 60, 1)

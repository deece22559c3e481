"""What a clock counts as, and which clocks a figure is of: the one definition.

No figure reads a flag that a sweep sets, so all are right even if no sweep ran. A clock that is not
yet due, was excused, or was withdrawn before it was due, counts neither as kept nor as late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, NullIf

from crm.reports.outcomes import OUTCOMES, Outcome
from handoff.enums import ClockKind
from handoff.models import Clock, ImportedHandoff, SlaTier


class Standing(StrEnum):
    """What a clock counts as at a moment."""

    ON_TIME = "on_time"
    LATE = "late"
    NOT_YET_DUE = "not_yet_due"
    EXCUSED = "excused"
    WITHDRAWN = "withdrawn"


class Sample(StrEnum):
    """What a percentage, a median or a span is of, whatever each clock counts as."""

    DUE = "due"
    OPEN = "open"
    ANSWERED = "answered"
    SPLIT = "split"


#: Fell due unanswered: an excuse takes a breach out of the percentage, not out of the record.
MISSED = (Standing.LATE, Standing.EXCUSED)
_SAMPLES: Mapping[Sample, Q] = {
    Sample.DUE: Q(standing__in=(Standing.ON_TIME.value, Standing.LATE.value)),
    Sample.OPEN: Q(stopped_at__isnull=True, withdrawn_at__isnull=True),
    Sample.ANSWERED: Q(stopped_at__isnull=False, elapsed__isnull=False),
    Sample.SPLIT: Q(handoff__split_time__isnull=False),
}

STANDING_LABELS = {
    Standing.ON_TIME: "On time",
    Standing.LATE: "Late",
    Standing.NOT_YET_DUE: "Not yet due",
    Standing.EXCUSED: "Excused",
    Standing.WITHDRAWN: "Withdrawn",
}
_SAMPLE_LABELS = {
    Sample.DUE: "Fell due",
    Sample.OPEN: "Open",
    Sample.ANSWERED: "Answered",
    Sample.SPLIT: "Touched or ended",
}


class By(StrEnum):
    """What the rows of a compliance table are."""

    REP = "rep"
    TEAM = "team"
    TIER = "tier"
    SOURCE = "source"
    VERSION = "version"
    WEEK = "week"


NOBODY = "-"
#: Or what the tool that a handoff was imported from calls a tier.
TIER = Coalesce(F("handoff__tier__name"), NullIf(F("handoff__imported__priority"), Value("")))
_COLUMNS: Mapping[By, tuple[str, dict[str, Any]]] = {
    By.REP: ("answerable", {"answerable": None}),
    By.TEAM: ("handoff__team", {"handoff__team": None}),
    By.SOURCE: ("handoff__lead__source", {"handoff__lead__source": ""}),
    By.VERSION: ("handoff__agreement__version", {"handoff__agreement": None}),
}


@dataclass(frozen=True)
class Scope:
    """Which clocks are counted: one kind, of handoffs opened from ``start`` to ``end`` (not).

    ``only`` narrows to the row of a key; ``NOBODY`` is the one without rep, team, tier and so on.
    ``outcome`` narrows to what became of the handoff, ``arrived`` to a weekday (1 is Monday) and
    hour of the active zone. A clock starts when its handoff is opened, so it says when that was.
    """

    kind: ClockKind
    start: datetime
    end: datetime
    only: Mapping[By, str] = field(default_factory=dict)
    outcome: Outcome | None = None
    arrived: tuple[int, int] | None = None


def clocks(scope: Scope, *, now: datetime) -> QuerySet[Any]:
    """Return the clocks of ``scope``, each with its ``standing`` at ``now``."""
    period = Q(started_at__gte=scope.start, started_at__lt=scope.end)
    return clocks_of_any_day(scope, now=now).filter(period)


def clocks_of_any_day(scope: Scope, *, now: datetime) -> QuerySet[Any]:
    """Return what ``clocks`` does, whatever the period of ``scope``."""
    filters = Q(kind=scope.kind)
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
    """Return the condition that ``TIER`` is ``name``; an empty priority names none.

    Imported ones are asked row by row: a join would go through all open clocks for a few figures.
    """
    untiered = Q(handoff__tier=None)
    imported = ImportedHandoff.objects.filter(handoff=OuterRef("handoff"))
    if name == NOBODY:
        return untiered & Q(~Exists(imported.exclude(priority="")))
    tiers = SlaTier.objects.filter(name=name).values("pk")
    return Q(handoff__tier__in=tiers) | (untiered & Q(Exists(imported.filter(priority=name))))


def chosen_q(chosen: Standing | Sample) -> Q:
    """Return the condition on ``clocks`` that leaves those of a standing or a sample."""
    return _SAMPLES[chosen] if isinstance(chosen, Sample) else Q(standing=chosen.value)


def chosen_label(chosen: Standing | Sample) -> str:
    """Return what people call the clocks of a standing or a sample."""
    return _SAMPLE_LABELS[chosen] if isinstance(chosen, Sample) else STANDING_LABELS[chosen]


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

"""One figure of the funnel as a condition on leads, so that every figure opens its list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from crm.accounts.models import User
from crm.common.criteria import Field, Kind, Op, ValueInvalid
from crm.common.period import Period, PeriodInvalid, read_period
from crm.reports.cohorts import BASES, EXITS, FLOW, STEPS, Cohort, Split, Unit
from crm.reports.counted_leads import (
    OPEN,
    OVERRIDDEN,
    SKIPPED,
    cycles,
    part_of_cycles_q,
    part_q,
    reached_q,
)
from crm.reports.funnel_sums import DIRECT, NURTURED
from crm.reports.visitors import came_of_visitor_q
from leads.enums import LifecycleStage
from leads.models import StageInterval
from leads.normalise import source_label

#: In the place of a step: who came of a visitor that was first seen in the period.
CAME_OF_VISITOR = "SEEN"
STEP_LABELS = {
    **dict(LifecycleStage.choices),
    OVERRIDDEN: "Moved by override",
    OPEN: "Accepted, no verdict yet",
    CAME_OF_VISITOR: "Came of a visitor",
}
NURTURE_LABELS = {NURTURED: "Was in nurture", DIRECT: "Never in nurture"}
_OF = {"LEAD": "first captured", "MQL": "MQL for the first time", FLOW: "arriving there"}
_NO_FIGURE = "needs a figure of the funnel; open it from there"
_NAMED = {split.value: split for split in (Split.CAMPAIGN, Split.PERSONA, Split.REP, Split.NURTURE)}
_LONG = 12  # digits of a number
_STEPS = (*STEPS, *(f"{SKIPPED}{step}" for step in STEPS), *EXITS, OVERRIDDEN, OPEN,
          CAME_OF_VISITOR)  # fmt: skip


@dataclass(frozen=True)
class Slice:
    """Who one figure counts: a cohort, how far it came, and the part when the row is one."""

    basis: str
    period: Period
    step: str
    unit: Unit
    key: str | None = None
    split: Split = Split.SOURCE

    @property
    def code(self) -> str:
        """Return the value that stands in an address; ``read_slice`` is its inverse."""
        parts = [self.basis, self.period.first.isoformat(), self.period.last.isoformat()]
        parts += [self.step, self.unit.value]
        if self.key is None:
            return ":".join(parts)
        named = [] if self.split is Split.SOURCE else [self.split.value]
        return ":".join([*parts, *named, self.key])

    @property
    def url(self) -> str:
        """Return the list that holds exactly these leads, or cycles where those are counted."""
        if self.unit is Unit.CYCLES:
            return f"{reverse('reports:funnel_cycles')}?{urlencode({'figure': self.code})}"
        return f"{reverse('leads:list')}?{urlencode({'f': f'funnel.is.{self.code}'})}"

    @property
    def words(self) -> str:
        """Return the slice as people say it."""
        if self.step == CAME_OF_VISITOR:
            return f"{self.step_words} first seen {self.period.label}"
        words = f"{self.step_words}, of {self.unit.value} {_OF[self.basis]} {self.period.label}"
        return words if self.key is None else f"{words}, {self._part_words}"

    @property
    def step_words(self) -> str:
        """Return how far those came whom it counts."""
        skipped = self.step.startswith(SKIPPED)
        label = STEP_LABELS[self.step.removeprefix(SKIPPED)]
        return f"Skipped {label}" if skipped else label

    @property
    def cohort(self) -> Cohort:
        """Return who is counted, however far they came."""
        return Cohort(self.basis, self.period.start, self.period.end, self.unit)

    @property
    def _part_words(self) -> str:
        if self.split is Split.NURTURE:
            return NURTURE_LABELS.get(self.key or "", "").lower()
        key = self.key or ""
        label = part_labels(self.split, [key])[key] if key else f"no {self.split.value}"
        return f"from {label}" if self.split is Split.SOURCE else f"{self.split.value}: {label}"


def part_labels(split: Split, keys: Collection[str]) -> Mapping[str, str]:
    """Return what parts are called; not for months."""
    names: Mapping[str, str] = {key: source_label(key) for key in keys}
    if split is Split.NURTURE:
        names = NURTURE_LABELS
    elif split is Split.PERSONA:
        names = {key: key for key in keys}
    elif split is Split.REP:
        reps = User.objects.filter(pk__in=[key for key in keys if key])
        names = {str(rep.pk): rep.full_name for rep in reps}
    return {key: names.get(key) or f"No {split.value}" for key in keys}


def read_slice(code: str) -> Slice:
    """Return the slice of a code.

    Raises:
        ValueInvalid: when it is none.
    """
    parts = code.split(":", 5)
    if len(parts) not in (5, 6):
        raise ValueInvalid(_NO_FIGURE)
    basis, first, last, step, unit, *rest = parts
    try:
        period, counted = read_period(first, last), Unit(unit)
    except (PeriodInvalid, ValueError) as error:
        raise ValueInvalid(_NO_FIGURE) from error
    if basis not in BASES or step not in _STEPS or (basis == FLOW and step == OPEN):
        raise ValueInvalid(_NO_FIGURE)
    if step == CAME_OF_VISITOR and (rest or counted is Unit.CYCLES):
        raise ValueInvalid(_NO_FIGURE)
    return Slice(basis, period, step, counted, *(_read_part(rest[0]) if rest else ()))


def _read_part(text: str) -> tuple[str, Split]:
    """Return the part of a code: ``persona:Plant director``; without a split it is a source."""
    name, _, key = text.partition(":")
    split = _NAMED.get(name) if ":" in text else None
    if split is None:
        return text, Split.SOURCE
    if split is Split.REP and key and not (key.isascii() and key.isdigit() and len(key) <= _LONG):
        raise ValueInvalid(_NO_FIGURE)
    return key, split


def slice_q(value: Slice) -> Q:
    """Return the filter over Lead."""
    if value.step == CAME_OF_VISITOR:
        return came_of_visitor_q(value.period)
    if value.unit is Unit.CYCLES and value.key is not None:
        return Q(Exists(slice_cycles(value).filter(lead=OuterRef("pk"))))
    found = reached_q(value.cohort, value.step)
    return found if value.key is None else found & part_q(value.split, value.key)


def slice_cycles(value: Slice) -> QuerySet[StageInterval]:
    """Return the cycles that a figure counts, see ``cycles``."""
    found = cycles(value.cohort, value.step)
    return found if value.key is None else found.filter(part_of_cycles_q(value.split, value.key))


def _ask(op: Op, value: Any, _now: object) -> Q:
    return slice_q(value) if op is Op.IS else ~slice_q(value)


FUNNEL_FIELD = Field(
    "funnel",
    "Funnel",
    Kind.CUSTOM,
    q=_ask,
    group="Reports",
    order=900,
    read=read_slice,
    words=lambda value: value.words,
    hint="Open a figure of the funnel",
)

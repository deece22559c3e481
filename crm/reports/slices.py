"""One figure of the funnel as a condition on leads, so that every figure opens its list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from crm.common.criteria import Field, Kind, Op, ValueInvalid
from crm.common.period import Period, PeriodInvalid, read_period
from crm.reports.cohorts import BASES, EXITS, STEPS, Cohort, Split, Unit
from crm.reports.funnel import part_q, reached_q
from leads.enums import LifecycleStage
from leads.normalise import source_label

OVERRIDDEN, OPEN = "OVERRIDDEN", "OPEN"
STEP_LABELS = {
    **dict(LifecycleStage.choices),
    OVERRIDDEN: "Moved by override",
    OPEN: "Accepted, no verdict yet",
}
_NO_FIGURE = "needs a figure of the funnel; open it from there"
_STEPS = (*STEPS, *EXITS, OVERRIDDEN, OPEN)


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
        """Return the lead list that holds exactly these leads."""
        return f"{reverse('leads:list')}?{urlencode({'f': f'funnel.is.{self.code}'})}"

    @property
    def words(self) -> str:
        """Return the slice as people say it."""
        cohort = "first captured" if self.basis == "LEAD" else "MQL for the first time"
        words = f"{STEP_LABELS[self.step]}, of {self.unit.value} {cohort} {self.period.label}"
        return words if self.key is None else f"{words}, {self._part_words}"

    @property
    def _part_words(self) -> str:
        label = part_label(self.split, self.key) if self.key else f"no {self.split.value}"
        return f"from {label}" if self.split is Split.SOURCE else f"{self.split.value}: {label}"


def part_label(split: Split, key: str) -> str:
    """Return what a part is called; not for months."""
    label = key if split is Split.PERSONA else source_label(key)
    return label or f"No {split.value}"


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
    if basis not in BASES or step not in _STEPS:
        raise ValueInvalid(_NO_FIGURE)
    return Slice(basis, period, step, counted, *(_read_part(rest[0]) if rest else ()))


def _read_part(text: str) -> tuple[str, Split]:
    """Return the part of a code: ``persona:Plant director``; without a split it is a source."""
    name, _, key = text.partition(":")
    named = {split.value: split for split in (Split.CAMPAIGN, Split.PERSONA)}
    return (key, named[name]) if ":" in text and name in named else (text, Split.SOURCE)


def slice_q(value: Slice) -> Q:
    """Return the filter over Lead."""
    cohort = Cohort(value.basis, value.period.start, value.period.end, value.unit)
    found = reached_q(cohort, value.step)
    return found if value.key is None else found & part_q(value.split, value.key)


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

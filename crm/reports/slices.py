"""One figure of the funnel as a condition on leads, so that every figure opens its list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from crm.common.criteria import Field, Kind, Op, ValueInvalid
from crm.common.period import Period, PeriodInvalid, read_period
from crm.reports.funnel import EXITS, STEPS, Cohort, Unit, reached_q
from leads.enums import LifecycleStage
from leads.normalise import source_label

OVERRIDDEN, OPEN = "OVERRIDDEN", "OPEN"
STEP_LABELS = {
    **dict(LifecycleStage.choices),
    OVERRIDDEN: "Moved by override",
    OPEN: "Accepted, no verdict yet",
}
BASES = ("LEAD", "MQL")
_NO_FIGURE = "needs a figure of the funnel; open it from there"
_STEPS = (*STEPS, *EXITS, OVERRIDDEN, OPEN)


@dataclass(frozen=True)
class Slice:
    """Who one figure counts: a cohort, how far it came, and the source when the row names one."""

    basis: str
    period: Period
    step: str
    unit: Unit
    source: str | None = None

    @property
    def code(self) -> str:
        """Return the value that stands in an address; ``read_slice`` is its inverse."""
        parts = [self.basis, self.period.first.isoformat(), self.period.last.isoformat()]
        parts += [self.step, self.unit.value]
        return ":".join(parts if self.source is None else [*parts, self.source])

    @property
    def url(self) -> str:
        """Return the lead list that holds exactly these leads."""
        return f"{reverse('leads:list')}?{urlencode({'f': f'funnel.is.{self.code}'})}"

    @property
    def words(self) -> str:
        """Return the slice as people say it."""
        cohort = "first captured" if self.basis == "LEAD" else "MQL for the first time"
        words = f"{STEP_LABELS[self.step]}, of {self.unit.value} {cohort} {self.period.label}"
        if self.source is None:
            return words
        return f"{words}, from {source_label(self.source) or 'no source'}"


def read_slice(code: str) -> Slice:
    """Return the slice of a code.

    Raises:
        ValueInvalid: when it is none.
    """
    parts = code.split(":")
    if len(parts) not in (5, 6):
        raise ValueInvalid(_NO_FIGURE)
    basis, first, last, step, unit, *source = parts
    try:
        period, counted = read_period(first, last), Unit(unit)
    except (PeriodInvalid, ValueError) as error:
        raise ValueInvalid(_NO_FIGURE) from error
    if basis not in BASES or step not in _STEPS:
        raise ValueInvalid(_NO_FIGURE)
    return Slice(basis, period, step, counted, source[0] if source else None)


def slice_q(value: Slice) -> Q:
    """Return the filter over Lead."""
    cohort = Cohort(value.basis, value.period.start, value.period.end, value.unit)
    found = reached_q(cohort, value.step)
    return found if value.source is None else found & Q(source=value.source)


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

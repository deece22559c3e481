"""One figure of rule quality as a condition on leads, so that every figure opens its list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from crm.common.criteria import Field, Kind, Op, ValueInvalid
from scoring.definition.reading import SCORE_GROUP
from scoring.models import QualityCase

_NO_FIGURE = "needs a figure of rule quality; open it from there"
_OUTCOMES = {
    "MQL": Q(),
    "SQL": Q(is_sql=True),
    "WON": Q(is_won=True),
    "REFUSED": Q(is_refused=True),
}
_WORDS = {"MQL": "MQLs", "SQL": "SQLs", "WON": "won leads", "REFUSED": "refused MQLs"}


@dataclass(frozen=True, slots=True)
class CaseSlice:
    """Who one figure counts: the cases of a report to which a line applied, by outcome."""

    report: int
    line: int
    outcome: str

    @property
    def url(self) -> str:
        """Return the lead list that holds these leads."""
        code = f"{self.report}:{self.line}:{self.outcome}"
        return f"{reverse('leads:list')}?{urlencode({'f': f'rule_quality.is.{code}'})}"

    @property
    def words(self) -> str:
        """Return the slice as people say it."""
        return f"{_WORDS[self.outcome]} of line {self.line + 1} in report {self.report}"


def read_slice(code: str) -> CaseSlice:
    """Return the slice of a code such as ``12:3:SQL``.

    Raises:
        ValueInvalid: when it is none.
    """
    report, _, rest = code.partition(":")
    line, _, outcome = rest.partition(":")
    numbers = [text for text in (report, line) if text.isascii() and text.isdigit()]
    if len(numbers) != 2 or max(map(len, numbers)) > 9 or int(line) > 9999:
        raise ValueInvalid(_NO_FIGURE)
    if outcome not in _OUTCOMES:
        raise ValueInvalid(_NO_FIGURE)
    return CaseSlice(int(report), int(line), outcome)


def _ask(op: Op, value: Any, _now: object) -> Q:
    cases = QualityCase.objects.filter(
        _OUTCOMES[value.outcome], report=value.report, hits__contains=[value.line]
    )
    counted = Q(pk__in=cases.values("lead"))
    return counted if op is Op.IS else ~counted


QUALITY_FIELD = Field(
    "rule_quality",
    "Rule quality",
    Kind.CUSTOM,
    q=_ask,
    group=SCORE_GROUP,
    order=910,
    read=read_slice,
    words=lambda value: value.words,
    hint="Open a figure of rule quality",
)

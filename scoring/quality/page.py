"""What the page of rule quality shows: stored results joined with links, in a chosen order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import log2
from typing import Any

from scoring.lift import Lift
from scoring.models import QualityReport
from scoring.outcomes import refusal_labels
from scoring.quality.fields import CaseSlice
from scoring.quality.proposals import label_of
from scoring.quality.refusals import CarryingLine, RefusalTable, table_of
from scoring.quality.results import LineQuality, Suggestion, lines_of, suggestions_of
from scoring.scored import points

CSV_HEADER = (
    "rule", "group", "kind", "points", "leads", "mqls", "sqls", "won", "refused", "mqls_without",
    "sqls_without", "won_without", "refused_without", "lift", "lift_low", "lift_high", "sure",
    "contradicts_points", "known_as_of_today_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule in the table; ``urls`` open what its figures count, by outcome."""

    line: LineQuality
    urls: Mapping[str, str]

    @property
    def points(self) -> Decimal | None:
        """Return what the rule gives."""
        return points(self.line.key.points)

    @property
    def verdict(self) -> str:
        """Return what the data says of the points: a code for the template."""
        if self.line.contradicts:
            return "against"
        if self.line.lift is None:
            return "few"
        return "sure" if self.line.is_sure else "open"

    @property
    def sentence(self) -> str:
        """Return the contradiction as one sentence."""
        lift = self.line.lift
        if lift is None:
            return ""
        how = "less" if lift.ratio < 1 else "more"
        given = f"{self.line.key.points / 10:+g}".replace("-", "−")
        return (
            f"{given} points, but leads it applied to became SQL {how} often:"
            f" {lift_words(lift)}, n = {self.line.having.mqls}"
        )


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """One suggestion with its number in the report and what the rule would be called."""

    number: int
    label: str
    suggestion: Suggestion

    @property
    def points(self) -> Decimal | None:
        """Return what the rule would give."""
        return points(self.suggestion.points)


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """One line of the refusal table: how many it carried by reason, in the order of the reasons."""

    line: CarryingLine
    counts: tuple[int, ...]


def lift_words(lift: Lift) -> str:
    """Return a lift with its interval: ``0.6×, 95 % 0.4–0.8``."""
    return f"{lift.ratio:.2g}×, 95 % {lift.low:.2g}–{lift.high:.2g}"


def _strength(row: RuleRow) -> float:
    return -abs(log2(row.line.lift.ratio)) if row.line.lift else 1.0


#: How rows can be ordered: what people call it, and the key.
SORTS: Mapping[str, tuple[str, Callable[[RuleRow], Any]]] = {
    "verdict": (
        "What to look at",
        lambda row: (not row.line.contradicts, not row.line.is_sure, _strength(row)),
    ),
    "rule": ("Rule", lambda row: row.line.key.label.lower()),
    "points": ("Points", lambda row: -row.line.key.points),
    "mqls": ("MQLs", lambda row: -row.line.having.mqls),
    "lift": ("Lift", _strength),
}


def shown(report: QualityReport, sort: str) -> dict[str, Any]:
    """Return what the templates need of a report."""
    return {
        "population": population(report),
        "rows": rule_rows(report, sort),
        "sorts": [(name, label) for name, (label, _) in SORTS.items()],
        "suggestions": suggestion_rows(report),
        "refusals": refusals(report),
    }


def rule_rows(report: QualityReport, sort: str) -> list[RuleRow]:
    """Return the rules of a report in an order of ``SORTS``; equals stay as in the model."""
    rows = [
        RuleRow(
            line,
            {
                outcome: CaseSlice(report.pk, line.key.number, outcome).url
                for outcome in ("MQL", "SQL", "WON", "REFUSED")
            },
        )
        for line in lines_of(report.results or {"lines": []})
    ]
    return sorted(rows, key=SORTS[sort][1])


def csv_rows(rows: Sequence[RuleRow]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table as ``CSV_HEADER`` names them."""
    for row in rows:
        line, key = row.line, row.line.key
        lift = line.lift
        yield (
            key.label, key.group, "fit" if key.is_fit else "engagement", key.points / 10,
            line.having.leads, line.having.mqls, line.having.sqls, line.having.won,
            line.having.refused, line.lacking.mqls, line.lacking.sqls, line.lacking.won,
            line.lacking.refused, lift and round(lift.ratio, 3), lift and round(lift.low, 3),
            lift and round(lift.high, 3), line.is_sure, line.contradicts, key.is_of_today,
        )  # fmt: skip


def suggestion_rows(report: QualityReport) -> list[SuggestionRow]:
    """Return the suggestions of a report, the strongest first."""
    found = suggestions_of(report.results or {"suggestions": []})
    return [SuggestionRow(i, label_of(each), each) for i, each in enumerate(found)]


def refusals(report: QualityReport) -> Mapping[str, Any]:
    """Return the table of refusals: its reasons in words, their totals and its rows."""
    table: RefusalTable = table_of((report.results or {})["refusals"])
    words = refusal_labels()
    codes = sorted(table.by_reason, key=lambda code: (-table.by_reason[code], code))
    return {
        "table": table,
        "reasons": [words.get(code, code) for code in codes],
        "totals": [table.by_reason[code] for code in codes],
        "rows": [
            RefusalRow(line, tuple(line.by_reason.get(code, 0) for code in codes))
            for line in table.lines
        ],
    }


def population(report: QualityReport) -> Mapping[str, Any]:
    """Return who was compared, with instants and spans as such."""
    told = dict((report.results or {})["population"])
    for name in ("first_at", "last_at"):
        told[name] = told[name] and datetime.fromisoformat(told[name])
    return {**told, "patience": timedelta(seconds=told["patience"])}

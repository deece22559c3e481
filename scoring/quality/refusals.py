"""Which lines carried the MQLs that sales refused, under the model in force at that moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.sql import SQL, Composable, Composed

from scoring.definition import Definition
from scoring.lift import Lift, Table, corrected_lifts, lift_of
from scoring.quality.lines import hits_by_cycle, line_keys
from scoring.sql import rows

#: Beyond what sales says: it took the MQL on.
_ACCEPTED = ""
_FEWEST_COMPARED = 10

_CARRIED = SQL(
    "SELECT refusal_reason, line, count(*) FROM ({found}) AS found"
    " CROSS JOIN LATERAL unnest(carried) AS line WHERE is_refused OR is_accepted GROUP BY 1, 2"
)
_TOTALS = SQL(
    "SELECT model_version, refusal_reason, count(*) FROM quality_asked"
    " WHERE is_refused OR is_accepted GROUP BY 1, 2"
)


@dataclass(frozen=True, slots=True)
class CarryingLine:
    """A line that carried MQLs: how many sales refused for which reason, and how many it took.

    ``lift`` is how much more often those it carried were refused than the others; ``is_sure`` says
    that this is more than chance even for the best of all lines.
    """

    label: str
    by_reason: Mapping[str, int]
    refused: int
    accepted: int
    lift: Lift | None
    is_sure: bool


@dataclass(frozen=True, slots=True)
class RefusalTable:
    """All refused and accepted MQLs whose model is known, by reason and by line."""

    refused: int
    accepted: int
    by_reason: Mapping[str, int]
    lines: tuple[CarryingLine, ...]


def refusal_versions() -> list[int]:
    """Return the versions of the models that made MQLs on which sales has answered."""
    return sorted({version for version, _, _ in rows(_TOTALS) if version is not None})


def carried_by(
    definition: Definition, version: int, *, cycles: int, now: datetime
) -> Counter[tuple[str, str]]:
    """Return how many answered MQLs of a version each line carried, by its label and the reason.

    The reason is empty for those that sales accepted. A label that several personas share counts
    once, as a lead has one persona.
    """
    labels = [key.label for key in line_keys(definition)]
    found: Counter[tuple[str, str]] = Counter()
    chosen = SQL("model_version = {}").format(version)
    for query in hits_by_cycle(definition, cycles=cycles, now=now, chosen=chosen):
        for reason, line, count in rows(_of(query)):
            found[labels[line], reason] += count
    return found


def _of(query: Composable) -> Composed:
    return _CARRIED.format(found=query)


def refusal_table(carried: Counter[tuple[str, str]]) -> RefusalTable:
    """Return the table of what all versions' lines carried, the most refused first."""
    totals: Counter[str] = Counter()
    for version, reason, count in rows(_TOTALS):
        if version is not None:
            totals[reason] += count
    accepted = totals.pop(_ACCEPTED, 0)
    refused = totals.total()
    by_label: dict[str, Counter[str]] = defaultdict(Counter)
    for (label, reason), count in carried.items():
        by_label[label][reason] += count
    lines = _lines(by_label, refused=refused, accepted=accepted)
    return RefusalTable(refused, accepted, dict(totals), tuple(lines))


def _lines(
    by_label: Mapping[str, Counter[str]], *, refused: int, accepted: int
) -> Iterable[CarryingLine]:
    tables = {
        label: _compared(counts, refused=refused, accepted=accepted)
        for label, counts in by_label.items()
    }
    enough = {
        label: table
        for label, table in tables.items()
        if min(table.total_with, table.total_without) >= _FEWEST_COMPARED
    }
    sure = dict(zip(enough, corrected_lifts(list(enough.values())), strict=True))
    lines = [
        CarryingLine(
            label=label,
            by_reason={reason: n for reason, n in sorted(counts.items()) if reason != _ACCEPTED},
            refused=tables[label].reached_with,
            accepted=counts[_ACCEPTED],
            lift=lift_of(tables[label]) if label in enough else None,
            is_sure=sure.get(label) is not None,
        )
        for label, counts in by_label.items()
    ]
    return sorted(lines, key=lambda line: (-line.refused, line.label))


def _compared(counts: Counter[str], *, refused: int, accepted: int) -> Table:
    """How many were refused of those that the line carried, and of the others."""
    carried = counts.total() - counts[_ACCEPTED]
    return Table(carried, counts.total(), refused - carried, refused + accepted - counts.total())


def as_json(table: RefusalTable) -> dict[str, Any]:
    """Return the table in types that JSON has."""
    return asdict(table)


def table_of(results: Mapping[str, Any]) -> RefusalTable:
    """Return the table that ``as_json`` wrote."""
    lines = [
        CarryingLine(**{**line, "lift": Lift(**line["lift"]) if line["lift"] else None})
        for line in results["lines"]
    ]
    return RefusalTable(results["refused"], results["accepted"], results["by_reason"], tuple(lines))

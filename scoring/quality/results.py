"""What follows from the counts: the lift of each rule, what contradicts its points, what to try.

Pure; kept as JSON. Points are whole tenths as in models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log2
from typing import Any

from scoring.lift import Lift, Table, corrected_lifts, lift_of, p_value
from scoring.quality.candidates import FEWEST, Candidate
from scoring.quality.lines import LineKey

#: Twice as often SQL is worth ten points, half as often minus ten. Our choice.
POINTS_PER_DOUBLING = 100
#: No single suggestion is worth more than this, in tenths. Our choice.
MOST_POINTS = 200
#: Percentages of fewer are not shown: one lead more would move them by ten points.
FEWEST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class LineCounts:
    """What became of the cases to which a line applied, or did not; ``leads`` also without MQL."""

    leads: int = 0
    mqls: int = 0
    sqls: int = 0
    won: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class LineQuality:
    """How well one rule tells leads apart.

    ``lift`` compares the shares that became SQL, ``is_sure`` says that it is more than chance even
    for the best of all rules, ``contradicts`` that it then goes against the sign of the points.
    """

    key: LineKey
    having: LineCounts
    lacking: LineCounts
    lift: Lift | None
    is_sure: bool
    contradicts: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule that the data speaks for: its match or its criteria, the points in tenths, and why.

    ``of`` and ``to`` say what was compared: MQLs that became SQL, or closed deals that were won.
    """

    points: int
    of: str
    to: str
    reached: int
    total: int
    reached_without: int
    total_without: int
    lift: Lift
    match: Mapping[str, Any] | None
    criteria: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Look:
    """One comparison of one candidate: of which cases, how many came to what."""

    candidate: Candidate
    of: str
    to: str
    table: Table

    @property
    def choice(self) -> tuple[str, ...]:
        """Return of which values a lead has one only, nothing where it can have several."""
        asked = self.candidate.criteria
        return (asked["field"], self.of) if asked and asked["op"] != "contains" else ()


def judge_lines(
    keys: Sequence[LineKey], having: Sequence[LineCounts], lacking: Sequence[LineCounts]
) -> list[LineQuality]:
    """Return the quality of each line; what is sure is decided over all that can be compared."""
    tables = [
        Table(one.sqls, one.mqls, other.sqls, other.mqls)
        for one, other in zip(having, lacking, strict=True)
    ]
    fit_to_judge = [i for i, table in enumerate(tables) if _is_enough(table)]
    corrected = corrected_lifts([tables[i] for i in fit_to_judge])
    sure = {i: lift for i, lift in zip(fit_to_judge, corrected, strict=True) if lift}
    return [
        LineQuality(
            key=key,
            having=having[i],
            lacking=lacking[i],
            lift=lift_of(tables[i]) if i in fit_to_judge else None,
            is_sure=i in sure,
            contradicts=i in sure and not key.is_of_today and _is_against(key.points, sure[i]),
        )
        for i, key in enumerate(keys)
    ]


def _is_enough(table: Table) -> bool:
    return min(table.total_with, table.total_without) >= FEWEST_SHOWN


def _is_against(points: int, lift: Lift) -> bool:
    return (points > 0) is (lift.ratio < 1)


def suggest(candidates: Iterable[Candidate]) -> list[Suggestion]:
    """Return the candidates that the data speaks for, the strongest first.

    Both comparisons of every candidate are looked at, so the correction is over all of them. A
    candidate is suggested once, by the stronger.
    """
    looks = [look for each in candidates for look in _looks(each)]
    corrected = corrected_lifts([look.table for look in looks])
    sure = [(look, lift) for look, lift in zip(looks, corrected, strict=True) if lift]
    sure.sort(key=lambda each: -abs(log2(each[1].near)))
    found: dict[int, Suggestion] = {}
    for look, lift in _without_mirrors(sure):
        found.setdefault(id(look.candidate), _suggestion(look, lift))
    return list(found.values())


def _without_mirrors(sure: Sequence[tuple[Look, Lift]]) -> Iterable[tuple[Look, Lift]]:
    """Leave out values that only stand out because a stronger one of their field is the others.

    Where Dutch leads buy, all other countries look bad beside them; beside each other they do not.
    """
    limit = max((p_value(look.table) for look, _ in sure), default=0.0)
    told: dict[tuple[str, ...], list[Table]] = defaultdict(list)
    for look, lift in sure:
        stronger = told[look.choice]
        if not stronger or p_value(_beside_others(look.table, stronger)) <= limit:
            yield look, lift
        if look.choice:
            stronger.append(look.table)


def _beside_others(table: Table, stronger: Iterable[Table]) -> Table:
    """Return the table with those of stronger values taken out of the others."""
    reached = table.reached_without - sum(each.reached_with for each in stronger)
    total = table.total_without - sum(each.total_with for each in stronger)
    return Table(table.reached_with, table.total_with, reached, total)


def _looks(candidate: Candidate) -> Iterable[Look]:
    one, other = candidate.having, candidate.lacking
    tables = {
        ("MQLs", "SQL"): Table(one.sqls, one.cases, other.sqls, other.cases),
        ("closed deals", "won"): Table(one.won, one.closed, other.won, other.closed),
    }
    for (of, to), table in tables.items():
        if min(table.total_with, table.total_without) >= FEWEST:
            yield Look(candidate, of, to, table)


def _suggestion(look: Look, corrected: Lift) -> Suggestion:
    return Suggestion(
        points=points_for(corrected),
        of=look.of,
        to=look.to,
        reached=look.table.reached_with,
        total=look.table.total_with,
        reached_without=look.table.reached_without,
        total_without=look.table.total_without,
        lift=lift_of(look.table) or corrected,
        match=look.candidate.match,
        criteria=look.candidate.criteria,
    )


def points_for(lift: Lift) -> int:
    """Return the points that a lift is worth, in tenths, whole points.

    ``POINTS_PER_DOUBLING * log2(limit next to 1)``: only as much as the counts vouch for, since
    what stands out among many looks better than it is. At least one point, at most ``MOST_POINTS``.
    """
    worth = POINTS_PER_DOUBLING * log2(lift.near)
    whole = 10 * max(1, round(abs(worth) / 10))
    return min(whole, MOST_POINTS) * (1 if worth > 0 else -1)


def as_json(lines: Sequence[LineQuality], suggestions: Sequence[Suggestion]) -> dict[str, Any]:
    """Return both in types that JSON has."""
    return {
        "lines": [asdict(line) for line in lines],
        "suggestions": [asdict(each) for each in suggestions],
    }


def lines_of(results: Mapping[str, Any]) -> list[LineQuality]:
    """Return the lines that ``as_json`` wrote."""
    return [
        LineQuality(
            key=LineKey(**line["key"]),
            having=LineCounts(**line["having"]),
            lacking=LineCounts(**line["lacking"]),
            lift=_lift(line["lift"]),
            is_sure=line["is_sure"],
            contradicts=line["contradicts"],
        )
        for line in results["lines"]
    ]


def suggestions_of(results: Mapping[str, Any]) -> list[Suggestion]:
    """Return the suggestions that ``as_json`` wrote."""
    return [Suggestion(**{**each, "lift": Lift(**each["lift"])}) for each in results["suggestions"]]


def _lift(found: Mapping[str, float] | None) -> Lift | None:
    return Lift(**found) if found else None

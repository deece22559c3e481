"""A trained formula: read from JSON, computed in plain Python, explained line by line. Pure.

The chance is ``1 / (1 + exp(-(intercept + the weight of one level of each column)))``. Weights are
centred: that of a level minus the average over the sample, so that a weight says by how much the
log-odds of this lead differ from those of the average lead, and a value never met counts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from scoring.predictive.levels import Coding, Column, ColumnKind, Value

MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a column: its weight in log-odds, its leads and how many had the outcome."""

    label: str
    weight: float
    leads: int
    positives: int

    @property
    def words(self) -> str:
        """Return by what the odds of the average lead are multiplied."""
        return odds_words(self.weight)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A column of a formula with the weight of each of its levels, by key."""

    coding: Coding
    levels: Mapping[str, Level]

    @property
    def label(self) -> str:
        """Return the name of the column for people."""
        return self.coding.column.label

    @property
    def reach(self) -> float:
        """Return how far apart its levels pull the log-odds."""
        weights = [level.weight for level in self.levels.values()]
        return max(weights) - min(weights)

    def level(self, known: Mapping[str, Value]) -> Level | None:
        """Return the level a lead stands in; None for one that the sample had not."""
        key = self.coding.key(known.get(self.coding.column.name))
        return self.levels[key] if key is not None else None


@dataclass(frozen=True, slots=True)
class Reason:
    """What one column adds to the log-odds of a lead, compared with the average lead."""

    column: str
    level: str
    weight: float

    @property
    def words(self) -> str:
        """Return by what it multiplies the odds."""
        return odds_words(self.weight)

    @property
    def is_raising(self) -> bool:
        """Say whether it speaks for the target."""
        return self.weight > 0


@dataclass(frozen=True, slots=True)
class Formula:
    """What training found."""

    intercept: float
    columns: tuple[Weighed, ...]

    def chance(self, known: Mapping[str, Value]) -> float:
        """Return the chance of the outcome, between 0 and 1, by what is known of a lead."""
        found = (column.level(known) for column in self.columns)
        return logistic(self.intercept + sum(level.weight for level in found if level))

    def reasons(self, known: Mapping[str, Value], most: int = MOST_REASONS) -> list[Reason]:
        """Return what moves the chance of a lead most, away from that of the average lead."""
        found = ((column.label, column.level(known)) for column in self.columns)
        told = [Reason(label, level.label, level.weight) for label, level in found if level]
        return sorted(told, key=lambda reason: -abs(reason.weight))[:most]


def logistic(log_odds: float) -> float:
    """Return the chance of which ``log_odds`` are the logarithm of the odds."""
    if log_odds >= 0:
        return 1 / (1 + exp(-log_odds))
    return exp(log_odds) / (1 + exp(log_odds))


def odds_words(weight: float) -> str:
    """Return log-odds as what they multiply the odds by: ``2.3 times``, ``0.24 times``."""
    return f"{exp(weight):,.{1 if weight >= 0 else 2}f} times"


def centred(
    intercept: float,
    codings: Sequence[Coding],
    weights: Sequence[Sequence[float]],
    counts: Sequence[Sequence[tuple[int, int]]],
) -> Formula:
    """Return a formula of weights as they were fitted, each column centred over the sample.

    ``counts`` are the leads and the positives of each level, in the order of the codings' levels.
    """
    columns = []
    for coding, fitted, counted in zip(codings, weights, counts, strict=True):
        leads = sum(number for number, _ in counted)
        mean = sum(w * number for w, (number, _) in zip(fitted, counted, strict=True)) / leads
        intercept += mean
        levels = zip(coding.levels.items(), fitted, counted, strict=True)
        columns.append(
            Weighed(coding, {key: Level(label, w - mean, *n) for (key, label), w, n in levels})
        )
    return Formula(intercept, tuple(columns))


def formula_document(formula: Formula) -> dict[str, Any]:
    """Return a formula as JSON keeps it."""
    return {
        "intercept": formula.intercept,
        "columns": [_column_document(column) for column in formula.columns],
    }


def _column_document(weighed: Weighed) -> dict[str, Any]:
    column = weighed.coding.column
    return {
        "name": column.name,
        "label": column.label,
        "kind": column.kind.value,
        "cuts": list(weighed.coding.cuts),
        "levels": [
            {
                "key": key,
                "label": level.label,
                "weight": level.weight,
                "leads": level.leads,
                "positives": level.positives,
            }
            for key, level in weighed.levels.items()
        ],
    }


def read_formula(document: Mapping[str, Any]) -> Formula:
    """Return the formula that ``formula_document`` wrote."""
    return Formula(
        intercept=document["intercept"],
        columns=tuple(_read_column(each) for each in document["columns"]),
    )


def _read_column(told: Mapping[str, Any]) -> Weighed:
    column = Column(told["name"], told["label"], ColumnKind(told["kind"]))
    levels = {
        each["key"]: Level(each["label"], each["weight"], each["leads"], each["positives"])
        for each in told["levels"]
    }
    labels = {key: level.label for key, level in levels.items()}
    return Weighed(Coding(column, labels, tuple(told["cuts"])), levels)

"""A training as its page shows it: figures, the chart of its calibration, weights in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm.common.ui import words
from scoring.models import PredictiveModel
from scoring.predictive.formula import Level, Weighed, read_formula

#: From here on a ranking is called fair.
_USEFUL = 0.7
#: So many columns are read at a glance; the others are a click away.
_STRONGEST = 8


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column of a formula with its levels, those that raise the chance most first."""

    label: str
    levels: Sequence[Level]


@dataclass(frozen=True, slots=True)
class ShownBin:
    """A group of leads of like predictions, its shares in words."""

    leads: int
    predicted: str
    came_true: str
    interval: str


@dataclass(frozen=True, slots=True)
class TrainingPage:
    """What ``predictive.html`` shows of a trained model. The AUC is 0 to 1."""

    sample: Mapping[str, Any]
    first_at: datetime
    last_at: datetime
    auc: Mapping[str, float]
    bins: Sequence[ShownBin]
    chart: Mapping[str, Any]
    columns: Sequence[ShownColumn]
    leaks: Sequence[Mapping[str, Any]]
    dull: Sequence[Mapping[str, Any]]

    @property
    def strongest(self) -> Sequence[ShownColumn]:
        """Return the columns that pull most apart."""
        return self.columns[:_STRONGEST]

    @property
    def others(self) -> Sequence[ShownColumn]:
        """Return those that tell less."""
        return self.columns[_STRONGEST:]

    @property
    def share(self) -> str:
        """Return how many of the sample reached the target."""
        return f"{words.percent(self.sample['positives'], self.sample['leads'])} of them"

    @property
    def when(self) -> str:
        """Return from when to when the sample reaches."""
        first, last = (timezone.localtime(at) for at in (self.first_at, self.last_at))
        days = dict.fromkeys(f"{day.day} {day:%b %Y}" for day in (first, last))
        return " to ".join(days)

    @property
    def area(self) -> str:
        """Return the AUC as it is shown."""
        return f"{self.auc['value']:.3f}"

    @property
    def interval(self) -> str:
        """Return between what the AUC lies."""
        return f"{self.auc['low']:.3f} to {self.auc['high']:.3f} with 95 %"

    @property
    def state(self) -> str:
        """Return whether that is worth showing."""
        return "ok" if self.auc["value"] >= _USEFUL else "risk"

    @property
    def verdict(self) -> str:
        """Return in words how well it tells leads apart; the bounds are the usual ones."""
        grades = {0.9: "Very good", 0.8: "Good", _USEFUL: "Fair", 0.6: "Poor"}
        reached = (grade for bound, grade in grades.items() if self.auc["value"] >= bound)
        return next(reached, "Hardly better than chance")


def training_page(model: PredictiveModel) -> TrainingPage:
    """Return what there is to show of a trained model."""
    told: dict[str, Any] = model.results or {}
    formula = read_formula(model.formula or {})
    return TrainingPage(
        sample=told["sample"],
        first_at=datetime.fromisoformat(told["sample"]["first_at"]),
        last_at=datetime.fromisoformat(told["sample"]["last_at"]),
        auc=told["auc"],
        bins=[_shown_bin(each) for each in told["calibration"]],
        chart=_chart(told["calibration"]),
        columns=[
            _shown(column) for column in sorted(formula.columns, key=lambda each: -each.reach)
        ],
        leaks=told["leaks"],
        dull=told["dull"],
    )


def _shown(column: Weighed) -> ShownColumn:
    levels = sorted(column.levels.values(), key=lambda level: -level.weight)
    return ShownColumn(column.label, levels)


def _shown_bin(told: Mapping[str, Any]) -> ShownBin:
    came_true = told["came_true"]
    interval = f"{_share(came_true['low'])} to {_share(came_true['high'])}"
    return ShownBin(told["leads"], _share(told["predicted"]), _share(came_true["value"]), interval)


def _share(share: float) -> str:
    return f"{words.tenths(100 * share)} %"


def _chart(bins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the calibration as lines: what came true over what was predicted, and the ideal."""
    predicted = [round(100 * each["predicted"], 1) for each in bins]
    return {
        "kind": "line",
        "labels": [f"{value:g} %" for value in predicted],
        "series": [
            {
                "name": "Came true",
                "values": [round(100 * b["came_true"]["value"], 1) for b in bins],
            },
            {"name": "Predicted", "values": predicted},
        ],
        "unit": "%",
        "min": 0,
        "max": 100,
    }

"""Fitting weights to a sample: the only module that needs scikit-learn (the extra ``ml``).

Logistic regression with an L2 penalty, whose strength is chosen by cross-validation. To say how
well it predicts, it is all done anew five times with a fifth of the leads put aside, the choice of
the penalty included, so that no lead is predicted by anything that has seen its outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

#: Inverse strengths of the penalty to choose from.
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
FOLDS = 5
#: Inside of each fold, where the penalty is chosen.
_INNER_FOLDS = 3
_SEED = 20260512  # any number: the same sample gives the same formula
_MOST_STEPS = 200

Matrix = NDArray[np.float64]
Outcomes = NDArray[np.int8]
Places = NDArray[np.int64]
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fit:
    """What a sample taught.

    ``weights`` are those of each level of each column; ``strength`` is the inverse strength of the
    penalty; ``predicted`` is the chance of each lead by formulas that have not seen its outcome.
    """

    intercept: float
    weights: list[list[float]]
    strength: float
    predicted: list[float]


def fit(
    places: Sequence[Sequence[int]], sizes: Sequence[int], outcomes: Sequence[bool], *, tell: Tell
) -> Fit:
    """Fit weights to a sample.

    Args:
        places: per column, the number of the level in which each lead stands.
        sizes: per column, how many levels it has.
        outcomes: what became of each lead; both outcomes must occur, each at least ten times.
        tell: is called with how many of how many steps are done.
    """
    with threadpool_limits(limits=1):  # the other processors are for those who wait for pages
        sample, ends = design(places, sizes), np.asarray(outcomes, dtype=np.int8)
        predicted = np.zeros(len(ends))
        for step, (known, aside) in enumerate(_folds(FOLDS).split(sample, ends), start=1):
            strength = _strength(sample[known], ends[known])
            predicted[aside] = _chances(
                _fitted(sample[known], ends[known], strength), sample[aside]
            )
            tell(step, FOLDS + 1)
        strength = _strength(sample, ends)
        final = _fitted(sample, ends, strength)
        tell(FOLDS + 1, FOLDS + 1)
    return Fit(
        intercept=float(final.intercept_[0]),
        weights=_by_column([float(weight) for weight in final.coef_[0]], sizes),
        strength=strength,
        predicted=[float(chance) for chance in predicted],
    )


def design(places: Sequence[Sequence[int]], sizes: Sequence[int]) -> Matrix:
    """Return the sample as a matrix: a row for each lead, a column of 0 and 1 for each level."""
    matrix = np.zeros((len(places[0]), sum(sizes)))
    rows, start = np.arange(len(places[0])), 0
    for numbers, size in zip(places, sizes, strict=True):
        matrix[rows, start + np.asarray(numbers)] = 1.0
        start += size
    return matrix


def _strength(sample: Matrix, ends: Outcomes) -> float:
    """Return the strength that predicts best what was put aside, by its logarithmic loss."""
    parts = list(_folds(_INNER_FOLDS).split(sample, ends))

    def loss(strength: float) -> float:
        return sum(_loss(sample, ends, known, aside, strength) for known, aside in parts)

    return min(STRENGTHS, key=loss)


def _loss(sample: Matrix, ends: Outcomes, known: Places, aside: Places, strength: float) -> float:
    chances = _chances(_fitted(sample[known], ends[known], strength), sample[aside])
    return float(log_loss(ends[aside], chances, labels=[0, 1]))


def _folds(count: int) -> StratifiedKFold:
    return StratifiedKFold(count, shuffle=True, random_state=_SEED)


def _fitted(sample: Matrix, ends: Outcomes, strength: float) -> LogisticRegression:
    model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=_MOST_STEPS)
    return model.fit(sample, ends)


def _chances(model: LogisticRegression, sample: Matrix) -> Matrix:
    chances: Matrix = model.predict_proba(sample)[:, 1]
    return chances


def _by_column(weights: Sequence[float], sizes: Sequence[int]) -> list[list[float]]:
    parted: list[list[float]] = []
    start = 0
    for size in sizes:
        parted.append(list(weights[start : start + size]))
        start += size
    return parted

"""How well predictions tell outcomes apart, and whether they come true as often as they say. Pure.

Area under the ROC curve with its interval after DeLong, DeLong and Clarke-Pearson (Biometrics 1988)
by mid-ranks, as Sun and Xu (IEEE Signal Processing Letters 2014) compute it; shares with the
interval of Wilson (1927). All intervals hold with 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import fmean, variance

_Z = 1.959963984540054
BINS = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure between 0 and 1 with the interval that holds it with 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Leads of like predictions: how many, what was predicted on average, what came true."""

    leads: int
    predicted: float
    came_true: Estimate


def auc(scores: Sequence[float], outcomes: Sequence[bool]) -> Estimate:
    """Return the chance that a lead with the outcome is scored above one without.

    Raises:
        ValueError: unless both outcomes occur.
    """
    positives = [score for score, is_one in zip(scores, outcomes, strict=True) if is_one]
    negatives = [score for score, is_one in zip(scores, outcomes, strict=True) if not is_one]
    if not positives or not negatives:
        raise ValueError("an area needs both outcomes")
    m, n = len(positives), len(negatives)
    all_ranks = mid_ranks([*positives, *negatives])
    above = [
        (rank - own) / n for rank, own in zip(all_ranks[:m], mid_ranks(positives), strict=True)
    ]
    below = [
        1 - (rank - own) / m for rank, own in zip(all_ranks[m:], mid_ranks(negatives), strict=True)
    ]
    area = fmean(above)
    spread = sqrt(_variance(above) / m + _variance(below) / n)
    return Estimate(area, max(0.0, area - _Z * spread), min(1.0, area + _Z * spread))


def _variance(values: Sequence[float]) -> float:
    return variance(values) if len(values) > 1 else 0.0


def mid_ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value from 1, equal ones sharing the middle of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + 1 + end) / 2
        start = end
    return ranks


def share(part: int, whole: int) -> Estimate:
    """Return ``part`` of ``whole``, which is not 0, with the interval of Wilson."""
    p = part / whole
    middle = p + _Z**2 / (2 * whole)
    reach = _Z * sqrt(p * (1 - p) / whole + _Z**2 / (4 * whole**2))
    scale = 1 + _Z**2 / whole
    return Estimate(p, max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale))


def calibration(predicted: Sequence[float], outcomes: Sequence[bool]) -> list[Bin]:
    """Return up to ten bins of equally many leads, least likely first."""
    pairs = sorted(zip(predicted, outcomes, strict=True))
    count = min(BINS, len(pairs))
    edges = [round(len(pairs) * i / count) for i in range(count + 1)]
    return [
        Bin(
            leads=end - start,
            predicted=fmean(chance for chance, _ in pairs[start:end]),
            came_true=share(sum(is_one for _, is_one in pairs[start:end]), end - start),
        )
        for start, end in pairwise(edges)
    ]

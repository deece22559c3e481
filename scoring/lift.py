"""How much more often those who did something came to an outcome, and how sure that is. Pure.

Lift is the ratio of two shares (risk ratio). Its interval is that of Katz et al. (Biometrics 34,
1978): normal on the scale of the logarithm; with an empty field a half is added to each (Walter,
Biometrika 62, 1975). Whether there is any difference at all is judged by Fisher's exact test, which
holds however few there are. Of many lines looked at, some differ by chance: Benjamini and Hochberg
(1995) say which to believe so that of those believed at most ``FALSE_SHARE`` are expected to be
false, and the intervals of these are widened to match (Benjamini and Yekutieli, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, sqrt
from statistics import NormalDist

#: Of what is believed, so much may be chance. Our choice: a rule that is praised or blamed for
#: nothing stands for years, so this is stricter than the usual 0.05.
FALSE_SHARE = 0.01
#: How often the interval that is shown for a single lift holds the true one.
LEVEL = 0.95
#: Two probabilities count as equal within this: sums of logarithms differ in their last bits.
_ALIKE = 1 + 1e-7


@dataclass(frozen=True, slots=True)
class Table:
    """How many of those with a feature came to the outcome, and of those without it."""

    reached_with: int
    total_with: int
    reached_without: int
    total_without: int

    @property
    def share_with(self) -> float:
        """Return the share that reached it with the feature, 0 to 1; 0 of nobody."""
        return self.reached_with / self.total_with if self.total_with else 0.0

    @property
    def share_without(self) -> float:
        """Return the share that reached it without the feature, 0 to 1; 0 of nobody."""
        return self.reached_without / self.total_without if self.total_without else 0.0


@dataclass(frozen=True, slots=True)
class Lift:
    """A ratio of shares with the limits of its interval; 1 is no difference."""

    ratio: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Say whether the interval leaves out 1."""
        return self.low > 1 or self.high < 1

    @property
    def near(self) -> float:
        """Return the limit next to 1: as much as the counts vouch for; 1 where it is not clear."""
        if not self.is_clear:
            return 1.0
        return self.low if self.low > 1 else self.high


def lift_of(table: Table, *, level: float = LEVEL) -> Lift | None:
    """Return the lift of a table, None where one side is empty or nobody reached the outcome.

    ``level`` is the confidence of the interval, 0 to 1.
    """
    reached = table.reached_with + table.reached_without
    if not (table.total_with and table.total_without and reached):
        return None
    half = 0.0 if table.reached_with and table.reached_without else 0.5
    a, n = table.reached_with + half, table.total_with + half
    c, m = table.reached_without + half, table.total_without + half
    ratio = (a / n) / (c / m)
    spread = _quantile(level) * sqrt(max(1 / a - 1 / n + 1 / c - 1 / m, 0.0))
    return Lift(ratio, ratio * exp(-spread), ratio * exp(spread))


def p_value(table: Table) -> float:
    """Return how likely chance alone splits the reached so unevenly, or more (Fisher, two-sided).

    All splits that are at most as likely as the one found count as uneven.
    """
    reached = table.reached_with + table.reached_without
    total = table.total_with + table.total_without
    least = max(0, reached - table.total_without)
    most = min(reached, table.total_with)
    found = _log_chance(table.reached_with, reached, table.total_with, total)
    splits = (_log_chance(k, reached, table.total_with, total) for k in range(least, most + 1))
    return min(1.0, sum(exp(chance) for chance in splits if chance <= found + log(_ALIKE)))


def believed(p_values: Sequence[float], *, false_share: float = FALSE_SHARE) -> list[bool]:
    """Return which findings to believe, by the step-up rule of Benjamini and Hochberg."""
    looked_at = len(p_values)
    ranked = enumerate(sorted(p_values), start=1)
    limits = [p for rank, p in ranked if p <= false_share * rank / looked_at]
    limit = max(limits, default=-inf)
    return [p <= limit for p in p_values]


def corrected_lifts(tables: Sequence[Table]) -> list[Lift | None]:
    """Return for each table the lift to report, None where there is none to be believed.

    Its interval holds although the best of all ``tables`` were picked, and leaves out 1.
    """
    chosen = believed([p_value(table) for table in tables])
    if not any(chosen):
        return [None] * len(tables)
    level = 1 - FALSE_SHARE * sum(chosen) / len(tables)
    lifts = [lift_of(table, level=level) if is_chosen else None
             for table, is_chosen in zip(tables, chosen, strict=True)]  # fmt: skip
    return [lift if lift and lift.is_clear else None for lift in lifts]


def _quantile(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _log_chance(k: int, reached: int, drawn: int, total: int) -> float:
    """The logarithm of the chance that of ``drawn`` from ``total`` just ``k`` are reached."""
    return (
        _log_choose(reached, k)
        + _log_choose(total - reached, drawn - k)
        - _log_choose(total, drawn)
    )


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)

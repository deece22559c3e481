"""From decayed sums to lines, groups and the score. Pure; everything in tenths of a point.

A line is rounded once, to whole tenths; groups and the score only add and limit whole tenths, so
what is shown adds up exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import exp, floor, log

from scoring.definition import SCALE, Definition, EngagementGroup, EngagementRule

#: Half up. The sliver makes two sums of the same acts round alike though they were added in
#: different order and differ in their last bits.
ROUND = 0.5 + 1e-7
#: Below this, ``exp`` leaves the range of floats, which PostgreSQL refuses; it is nothing anyway.
LEAST_EXPONENT = -700.0


def decay_rate(half_life: timedelta | None) -> float:
    """Return the exponent per second, 0 for what never fades."""
    return -log(2) / half_life.total_seconds() if half_life else 0.0


def weight(age: timedelta, half_life: timedelta | None) -> float:
    """Return what is left of 1 after ``age``: ``0.5 ** (age / half_life)``."""
    return exp(max(LEAST_EXPONENT, decay_rate(half_life) * age.total_seconds()))


def line_value(rule: EngagementRule, amount: float) -> int:
    """Return the line of a rule whose decayed acts sum up to ``amount``."""
    return floor(min(max(amount, -rule.cap), rule.cap) + ROUND)


def group_value(group: EngagementGroup, lines: Sequence[int]) -> int:
    """Return what a group gives."""
    return min(max(sum(lines), group.floor), group.cap)


def total(definition: Definition, lines: Sequence[int]) -> int:
    """Return the engagement score of all rules' lines, in the order of ``definition.rules``."""
    groups = (
        group_value(group, [lines[number] for number in numbers])
        for group, numbers in definition.numbered_groups()
    )
    return min(max(sum(groups), 0), SCALE)

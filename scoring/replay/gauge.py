"""Reading several models' scores, and upper bounds of them, from one run of the score query. Pure.

A draft and the model in force share most rules. ``joint`` asks for every distinct rule once, at
one point; each model's amounts are its own points times that, so a ``Gauge`` reads the same score
as a run of the query for that model alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import exp, floor

from scoring.definition import SCALE, Counting, Definition, EngagementGroup, EngagementRule
from scoring.points import LEAST_EXPONENT, ROUND, decay_rate

#: Floats of a bound are a little off; so much, in relation, keeps it on the safe side.
_SAFELY = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Sums:
    """What the joint query found for a lead at an instant, for each rule in its order.

    ``weights`` are the decayed sums of its acts at one tenth of a point each, ``counts`` how many
    acts gave points.
    """

    weights: Sequence[float]
    counts: Sequence[int]


def joint(definitions: Sequence[Definition]) -> Definition:
    """Return a model whose rules are all rules of ``definitions``, each once and at one tenth."""
    rules = tuple(dict.fromkeys(_bare(rule) for each in definitions for rule in each.rules))
    return replace(definitions[0], groups=(EngagementGroup("Joint", cap=SCALE, rules=rules),))


def _bare(rule: EngagementRule) -> EngagementRule:
    """Return what decides on the weights of a rule's acts."""
    return replace(rule, label="", points=1, cap=SCALE)


@dataclass(frozen=True, slots=True)
class _Rule:
    place: int
    points: int
    cap: int
    rate: float
    keeps_first: bool


class Gauge:
    """Reads the engagement of one model from the sums of a joint query."""

    def __init__(self, definition: Definition, asked: Definition) -> None:
        """Find the rules of ``definition`` among those that were ``asked``."""
        places = {rule: place for place, rule in enumerate(asked.rules)}
        self._groups = [
            (
                group.floor,
                group.cap,
                [self._rule(rule, places[_bare(rule)]) for rule in group.rules],
            )
            for group in definition.groups
        ]
        self._gains = [
            (cap, [rule for rule in rules if rule.points > 0]) for _, cap, rules in self._groups
        ]
        self._order = [rule for _, _, rules in self._groups for rule in rules]
        self.may_rise = any(rule.points < 0 and rule.rate for rule in self._order)

    @staticmethod
    def _rule(rule: EngagementRule, place: int) -> _Rule:
        rate, first = decay_rate(rule.half_life), rule.counting is Counting.FIRST
        return _Rule(place, rule.points, rule.cap, rate, first)

    def amounts(self, sums: Sums) -> list[float]:
        """Return the decayed sum of each rule of the model in tenths, as the query gives it."""
        return [float(rule.points) * sums.weights[rule.place] for rule in self._order]

    def score(self, sums: Sums) -> int:
        """Return the engagement in tenths. It runs for every lead, hence plain comparisons."""
        score, weights = 0, sums.weights
        for least, most, rules in self._groups:
            part = 0
            for rule in rules:
                if weights[rule.place]:
                    part += _line(rule.points * weights[rule.place], rule.cap)
            score += part if least < part < most else most if part > least else least
        return score if 0 < score < SCALE else SCALE if score > 0 else 0

    def ceiling(self, sums: Sums, span: timedelta) -> int:
        """Return what the engagement was at most, in tenths, at any time in ``span`` before.

        The sums are those at the end of the span. Going back in time an act was worth more by what
        has faded since, but never more than at first, and there were no acts that are not counted
        now. Of a rule for first acts another one may have been the first then. Negative lines count
        nothing. So it also bounds what follows until something else happens.
        """
        back, counts = span.total_seconds(), sums.counts
        score = 0
        for most, rules in self._gains:
            part = 0
            for rule in rules:
                if counts[rule.place]:
                    part += _line(_most(rule, sums, back), rule.cap)
            score += min(part, most)
        return min(score, SCALE)


def _most(rule: _Rule, sums: Sums, back: float) -> float:
    """Return what the acts of a rule were worth at most so many seconds before, in tenths."""
    fresh = float(sums.counts[rule.place])
    if rule.keeps_first or not rule.rate:
        return rule.points * fresh
    growth = exp(min(-rule.rate * back, -LEAST_EXPONENT))
    return rule.points * min(fresh, sums.weights[rule.place] * growth * _SAFELY)


def _line(amount: float, cap: int) -> int:
    return floor((amount if -cap < amount < cap else cap if amount > 0 else -cap) + ROUND)

"""What a score does when nothing more happens: lines only fade. Pure.

Whole numbers are what lists show, and thresholds are whole points, so a lead changes its level,
its cell or its place in the MQL definition only when the whole number changes. Times are counted
in whole minutes from the moment at which the sums were taken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import heapify, heappop, heappush
from math import ceil, exp, floor, log

from scoring.definition import LEVELS, SCALE, Definition, EngagementRule
from scoring.points import ROUND, decay_rate

MINUTE = timedelta(minutes=1)
HORIZON = 10 * 365 * 24 * 60  # in ten years all that fades is gone
_POINT = 10
_MONTH = 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Forecast:
    """When time alone changes what is shown: the score, being inside the definition, the level."""

    changes_at: datetime | None
    drops_out_at: datetime | None
    level_changes_at: datetime | None


@dataclass(slots=True)
class _Line:
    """The decayed sum of one rule in tenths, with its cap and the exponent per minute.

    Some ten are made for each lead that is scored; frozen ones take five times as long.
    """

    group: int
    amount: float
    cap: int
    rate: float

    def value(self, minute: int) -> int:
        """Return the line after so many minutes, in tenths."""
        left, cap = self.amount * exp(self.rate * minute), self.cap
        return floor((left if -cap < left < cap else cap if left > 0 else -cap) + ROUND)

    def step(self, value: int, minute: int) -> int | None:
        """Return the first minute after ``minute`` at which the line is not ``value`` any more."""
        if not value or not self.rate:
            return None
        edge = value - ROUND if value > 0 else ROUND - value - 1
        passed = log(edge / abs(self.amount)) / self.rate
        return max(floor(passed) + 1 if value > 0 else ceil(passed), minute + 1)


class Curve:
    """The engagement of a lead from now on, from the decayed sum of each rule in tenths."""

    def __init__(self, definition: Definition, amounts: Sequence[float]) -> None:
        """Keep the lines that show something; what shows nothing now never will.

        A line shows nothing when its sum is rounded to 0, as ``line_value`` does: no cap is less.
        """
        self._bounds = [(group.floor, group.cap) for group in definition.groups]
        self._lines = [
            _Line(place, amount, rule.cap, rate)
            for (place, rule, rate), amount in zip(_shape(definition), amounts, strict=True)
            if not 0 <= amount + ROUND < 1
        ]
        fading = [line.amount for line in self._lines if line.rate]
        self._falls = any(amount > 0 for amount in fading)
        self._rises = any(amount < 0 for amount in fading)
        self.moves = self._falls or self._rises

    def score(self, minutes: int, *, relief: int | None = None) -> int:
        """Return the score in tenths after ``minutes``.

        With ``relief`` the negative lines have faded for so many minutes instead. This runs some
        twenty times for each lead that is scored, hence no calls.
        """
        relief = minutes if relief is None else relief
        parts = [0] * len(self._bounds)
        for line in self._lines:
            amount, cap = line.amount, line.cap
            left = amount * exp(line.rate * (minutes if amount > 0 else relief))
            part = left if -cap < left < cap else cap if left > 0 else -cap
            parts[line.group] += floor(part + ROUND)
        return self._total(parts)

    def leaves(self, least: int, below: int, *, after: int = 0) -> int | None:
        """Return the first minute after ``after`` at which not ``least <= score < below``."""
        soonest = self._soonest(least, below, after)
        if soonest is None or not least <= self.score(soonest) < below:
            return soonest
        return self.walks_out(least, below, after=soonest)

    def _soonest(self, least: int, below: int, after: int) -> int | None:
        """Return a minute before which the score cannot be out.

        Positive lines only fall and negative ones only rise: it is the first minute at which either
        would lead out while the other stood still.
        """
        reached = [
            self._falls and _first(lambda at: self.score(at, relief=after) < least, after),
            self._rises and _first(lambda at: self.score(after, relief=at) >= below, after),
        ]
        return min((minute for minute in reached if minute), default=None)

    def walks_out(
        self, least: int, below: int, *, after: int = 0, until: int = HORIZON
    ) -> int | None:
        """Return what ``leaves`` does, sooner where few steps lead out.

        A line goes by steps of a tenth, at times that follow from its sum: this walks from step to
        step. What comes later than ``until`` is left open.
        """
        values = [line.value(after) for line in self._lines]
        parts = self._parts(values)
        steps = [(line.step(values[i], after), i) for i, line in enumerate(self._lines)]
        ahead = [(minute, i) for minute, i in steps if minute is not None]
        heapify(ahead)
        while ahead and (minute := ahead[0][0]) <= until:
            while ahead and ahead[0][0] == minute:
                _, i = heappop(ahead)
                line, former = self._lines[i], values[i]
                values[i] = line.value(minute)
                parts[line.group] += values[i] - former
                if following := line.step(values[i], minute):
                    heappush(ahead, (following, i))
            if not least <= self._total(parts) < below:
                return minute
        return None

    def _parts(self, values: Sequence[int]) -> list[int]:
        """The sums of the groups before their limits."""
        parts = [0] * len(self._bounds)
        for line, value in zip(self._lines, values, strict=True):
            parts[line.group] += value
        return parts

    def _total(self, parts: Sequence[int]) -> int:
        score = 0
        for part, (least, most) in zip(parts, self._bounds, strict=True):
            score += part if least < part < most else most if part > least else least
        return score if 0 < score < SCALE else SCALE if score > 0 else 0


def _first(is_out: Callable[[int], bool], after: int) -> int | None:
    """Return the first minute after ``after`` for which ``is_out``, which then stays true."""
    if not is_out(after + HORIZON):
        return None
    step = _MONTH
    while not is_out(after + step):
        step *= 2
    return bisect_left(range(after + step), True, lo=after + 1, key=is_out)


@lru_cache(maxsize=16)
def _shape(definition: Definition) -> list[tuple[int, EngagementRule, float]]:
    """Each rule with the number of its group and its exponent per minute."""
    return [
        (place, rule, 60 * decay_rate(rule.half_life))
        for place, group in enumerate(definition.groups)
        for rule in group.rules
    ]


def forecast(
    definition: Definition, amounts: Sequence[float], *, now: datetime, cell: str
) -> Forecast:
    """Return when what is shown changes by time alone.

    Args:
        definition: the model that gave the sums.
        amounts: the decayed sum of each rule at ``now``, in tenths.
        now: when the sums were taken.
        cell: the cell of the lead when it is inside the MQL definition, else nothing.
    """
    curve = Curve(definition, amounts)
    changes = _shown_changes(curve, HORIZON)
    if not changes:
        return Forecast(None, None, None)
    level = _level_bounds(definition, curve.score(0))
    level_changes = drops_out = curve.leaves(*level)
    room = _room(definition, cell) if cell else None
    if room != level:
        drops_out = curve.leaves(*room) if room else None
    return Forecast(_moment(now, changes), _moment(now, drops_out), _moment(now, level_changes))


def shown_changes_at(
    definition: Definition, amounts: Sequence[float], *, now: datetime, until: datetime | None
) -> datetime | None:
    """Return when the shown score changes by time alone; what is later than ``until`` is left open.

    The other arguments are those of ``forecast``.
    """
    end = (until - now) // MINUTE if until else HORIZON
    return _moment(now, _shown_changes(Curve(definition, amounts), end))


def _shown_changes(curve: Curve, until: int) -> int | None:
    if not curve.moves:
        return None
    shown = curve.score(0) // _POINT * _POINT
    return curve.walks_out(shown, shown + _POINT, until=until)


def _level_bounds(definition: Definition, score: int) -> tuple[int, int]:
    """Return the scores between which a lead stays on the level of ``score``."""
    bounds = (SCALE + 1, *definition.levels, 0)
    level = definition.level(score)
    return bounds[level], bounds[level - 1]


def _room(definition: Definition, cell: str) -> tuple[int, int]:
    """Return the scores between which a lead of this fit stays inside the MQL definition."""
    grade, level = cell[0], int(cell[1])
    bounds = (SCALE + 1, *definition.levels, 0)
    lowest = highest = level
    while lowest < LEVELS[-1] and f"{grade}{lowest + 1}" in definition.cells:
        lowest += 1
    while highest > LEVELS[0] and f"{grade}{highest - 1}" in definition.cells:
        highest -= 1
    return bounds[lowest], bounds[highest - 1]


@dataclass(frozen=True, slots=True)
class Entry:
    """Time alone leads to a level of engagement, after a while of whole minutes."""

    after: timedelta
    level: int


def enters(
    definition: Definition, amounts: Sequence[float], *, levels: Collection[int], within: timedelta
) -> Entry | None:
    """Return when time alone first leads to one of ``levels``, if it does sooner than ``within``.

    ``amounts`` are those of ``forecast``.
    """
    curve = Curve(definition, amounts)
    at: int | None = 0
    while at is not None and at * MINUTE < within:
        score = curve.score(at)
        level = definition.level(score)
        if level in levels:
            return Entry(at * MINUTE, level)
        at = curve.leaves(*_level_bounds(definition, score), after=at)
    return None


def _moment(now: datetime, minutes: int | None) -> datetime | None:
    return now.astimezone(UTC) + minutes * MINUTE if minutes else None

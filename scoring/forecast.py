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
from math import exp, floor, isclose

from scoring.definition import LEVELS, SCALE, Definition
from scoring.points import ROUND, decay_rate, line_value, weight

MINUTE = timedelta(minutes=1)
HORIZON = 10 * 365 * 24 * 60  # in ten years all that fades is gone
_FIRST_STEP = 64
_POINT = 10


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the shown score changes on its own, and when the lead leaves the MQL definition."""

    changes_at: datetime | None
    drops_out_at: datetime | None


class Curve:
    """The engagement of a lead from now on, from the decayed sum of each rule in tenths."""

    def __init__(self, definition: Definition, amounts: Sequence[float]) -> None:
        """Keep the lines that show something; what shows nothing now never will."""
        rules = definition.rules
        self._groups = [
            (
                group.floor,
                group.cap,
                [
                    (amounts[i], rules[i].cap, 60 * decay_rate(rules[i].half_life))
                    for i in numbers
                    if amounts[i] and line_value(rules[i], amounts[i])
                ],
            )
            for group, numbers in definition.numbered_groups()
        ]
        self._groups = [group for group in self._groups if group[2]]
        fading = [amount for _, _, lines in self._groups for amount, _, rate in lines if rate]
        self.falls = any(amount > 0 for amount in fading)
        self.rises = any(amount < 0 for amount in fading)

    def score(self, minutes: int, *, relief: int | None = None) -> int:
        """Return the score in tenths after ``minutes``.

        With ``relief`` the negative lines have faded for so many minutes instead. This runs some
        twenty times for each lead that is scored, hence plain comparisons.
        """
        relief = minutes if relief is None else relief
        score = 0
        for least, most, lines in self._groups:
            part = 0
            for amount, cap, rate in lines:
                left = amount * exp(rate * (minutes if amount > 0 else relief))
                part += floor((left if -cap < left < cap else cap if left > 0 else -cap) + ROUND)
            score += part if least < part < most else most if part > least else least
        return score if 0 < score < SCALE else SCALE if score > 0 else 0


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
    if not (curve.falls or curve.rises):
        return Forecast(None, None)
    shown = curve.score(0) // _POINT * _POINT
    changes = _leaves(curve, shown, shown + _POINT)
    drops_out = _leaves(curve, *_room(definition, cell)) if cell and changes else None
    return Forecast(_moment(now, changes), _moment(now, drops_out))


def level_changes_at(
    definition: Definition, amounts: Sequence[float], *, now: datetime
) -> datetime | None:
    """Return when the engagement level changes by time alone; arguments as ``forecast`` has them.

    Thresholds are whole points, so that this is never before ``Forecast.changes_at``.
    """
    curve = Curve(definition, amounts)
    if not (curve.falls or curve.rises):
        return None
    bounds = (SCALE + 1, *definition.levels, 0)
    level = definition.level(curve.score(0))
    return _moment(now, _leaves(curve, bounds[level], bounds[level - 1]))


def only_faded(
    definition: Definition, before: Sequence[float], now: Sequence[float], *, after: timedelta
) -> bool:
    """Return whether time alone made the sums of now out of those ``after`` ago."""
    return all(
        isclose(then * weight(after, rule.half_life), left, rel_tol=1e-6, abs_tol=1e-9)
        for rule, then, left in zip(definition.rules, before, now, strict=True)
    )


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
    bounds = (SCALE + 1, *definition.levels, 0)
    at: int | None = 0
    while at is not None and at * MINUTE < within:
        level = definition.level(curve.score(at))
        if level in levels:
            return Entry(at * MINUTE, level)
        at = _leaves(curve, bounds[level], bounds[level - 1], after=at)
    return None


def _leaves(curve: Curve, least: int, below: int, *, after: int = 0) -> int | None:
    """Return the first minute at which the score is out of ``least <= score < below``."""
    at = after
    while (reached := _may_leave(curve, least, below, at)) is not None:
        at = reached
        if not least <= curve.score(at) < below:
            return at
    return None


def _may_leave(curve: Curve, least: int, below: int, at: int) -> int | None:
    """Return a minute after ``at`` before which the score cannot be out.

    Positive lines only fall and negative ones only rise: it is the first minute at which either
    would lead out while the other stood still.
    """
    reached = [
        curve.falls and _first(lambda minute: curve.score(minute, relief=at) < least, at),
        curve.rises and _first(lambda minute: curve.score(at, relief=minute) >= below, at),
    ]
    return min((minute for minute in reached if minute), default=None)


def _first(is_out: Callable[[int], bool], after: int) -> int | None:
    """Return the first minute after ``after`` for which ``is_out``, which then stays true."""
    if not is_out(after + HORIZON):
        return None
    step = _FIRST_STEP
    while not is_out(after + step):
        step *= 2
    start = after + 1 if step == _FIRST_STEP else after + step // 2 + 1
    return bisect_left(range(after + step), True, lo=start, key=is_out)


def _moment(now: datetime, minutes: int | None) -> datetime | None:
    return now.astimezone(UTC) + minutes * MINUTE if minutes else None

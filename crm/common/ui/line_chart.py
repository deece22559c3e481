"""Geometry of a line chart that the server draws: one line, its pace or goal, a label each. Pure.

Places are percentages of the plot, as numbers for SVG attributes: the content security policy
allows no style, and a page with a chart or two needs no script to draw them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Self

Values = Sequence[float | None]
_LAST_WITH_ROOM = 85  # percent of the width; our choice: a short number and its unit fit


@dataclass(frozen=True, slots=True)
class Point:
    """A labelled place of the plot, in percent from its left and top."""

    x: float
    y: float
    label: str

    @property
    def has_room(self) -> bool:
        """Say whether a label has room at its right."""
        return self.x <= _LAST_WITH_ROOM


@dataclass(frozen=True, slots=True)
class LineChart:
    """What ``ui/_line_chart.html`` draws.

    ``lines`` and ``pace`` are points of polylines in a box of 100 by 100; ``now`` is the last value
    of the line, ``hints`` say each place in words. ``ticks`` are those of the axis from its top.
    ``rows`` are the same as a table: label, value, and the pace where there is one.
    """

    sentence: str
    lines: Sequence[str]
    pace: Sequence[str]
    now: Point | None
    end: Point | None
    goal: Point | None
    hints: Sequence[Point]
    rows: Sequence[Sequence[str]]
    ticks: Sequence[str]
    first: str
    last: str
    step: float


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis: its ends, and what its numbers are of."""

    low: float
    high: float
    unit: str = ""

    @classmethod
    def from_nothing(cls, most: float) -> Self:
        """Return an axis from 0 to a round number that ``most`` does not exceed."""
        unit = 10 ** max(len(str(int(most))) - 1, 1)
        return cls(0, max(-(-most // unit), 1) * unit)

    def at(self, value: float) -> float:
        """Return the distance of ``value`` from the top, in percent."""
        inside = min(max(value, self.low), self.high)
        return round(100 * (self.high - inside) / (self.high - self.low), 2)

    def ticks(self) -> list[str]:
        """Return the numbers of the axis, the highest first."""
        return [_number(each) for each in (self.high, (self.low + self.high) / 2, self.low)]

    def says(self, value: float | None) -> str:
        """Return a value as people read it."""
        return "–" if value is None else f"{_number(value)}{self.unit}"


def line_chart(
    labels: Sequence[str],
    values: Values,
    *,
    scale: Scale,
    sentence: str,
    pace: Values = (),
    goal: tuple[float, str] | None = None,
) -> LineChart:
    """Return the picture of ``values``; where one is None, the line has a gap.

    Args:
        labels: What each place is called, in order.
        values: The line, one value a label.
        scale: The axis; values beyond it are drawn at its end.
        sentence: The picture in words.
        pace: A second line, dashed, named at its end.
        goal: A dashed level and its name.
    """
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    now = known[-1] if known else None
    last_pace = pace[-1] if pace else None

    def x(place: int) -> float:
        return round(100 * place / (len(labels) - 1), 2) if len(labels) > 1 else 50

    def point(place: int, value: float, label: str) -> Point:
        return Point(x(place), scale.at(value), label)

    rows = [_row(label, place, values, pace, scale) for place, label in enumerate(labels)]
    return LineChart(
        sentence=sentence,
        lines=list(_polylines(values, x, scale)),
        pace=list(_polylines(pace, x, scale)),
        now=point(*now, scale.says(now[1])) if now else None,
        end=None if last_pace is None else Point(100, scale.at(last_pace), _number(last_pace)),
        goal=Point(0, scale.at(goal[0]), goal[1]) if goal else None,
        hints=[point(place, scale.high, _hint(*row)) for place, row in enumerate(rows)],
        rows=rows,
        ticks=scale.ticks(),
        first=labels[0] if labels else "",
        last=labels[-1] if len(labels) > 1 else "",
        step=round(100 / max(len(labels) - 1, 1), 2),
    )  # fmt: skip


def _polylines(values: Values, x: Callable[[int], float], scale: Scale) -> Iterator[str]:
    """Yield the points of each stretch without a gap; a place alone is a line of no length."""
    places = enumerate(values)
    for is_known, stretch in groupby(places, key=lambda each: each[1] is not None):
        if is_known:
            points = [
                f"{x(place)},{scale.at(value)}" for place, value in stretch if value is not None
            ]
            yield " ".join(points if len(points) > 1 else points * 2)


def _row(label: str, place: int, values: Values, pace: Values, scale: Scale) -> Sequence[str]:
    said = scale.says(values[place] if place < len(values) else None)
    return [label, said, scale.says(pace[place])] if pace else [label, said]


def _hint(label: str, said: str, pace: str = "") -> str:
    return f"{label}: {said}" + (f", pace {pace}" if pace else "")


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")

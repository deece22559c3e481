"""The picture of a score over time: past solid, future dashed, a ring at the exit. Pure.

Coordinates are those of the SVG's view box; widths and places are attributes, for the content
security policy allows no style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, HEIGHT = 292, 104
PAST, AHEAD, FARTHEST = timedelta(days=9), timedelta(days=20), timedelta(days=60)

_PLOT_WIDTH = WIDTH - 22
_TOP, _BOTTOM = 20, HEIGHT - 18
_LABEL_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Place:
    """A point of the picture."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A date below the picture; ``anchor`` is start, middle or end."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class DecayChart:
    """What ``_decay_chart.html`` draws; ``rows`` are the same as a table, a day and its score."""

    past: str
    future: str
    area: str
    now: Place
    exit: Place | None
    figure: str
    threshold: int
    threshold_y: float
    marks: tuple[Mark, ...]
    sentence: str
    rows: Sequence[tuple[str, int]]
    width: int = WIDTH
    height: int = HEIGHT
    plot_width: int = _PLOT_WIDTH


Points = Sequence[tuple[datetime, float]]


def decay_chart(
    past: Points,
    ahead: Points,
    *,
    threshold: int,
    drops_out_at: datetime | None,
    is_past: bool = False,
) -> DecayChart:
    """Return the picture of a score.

    Args:
        past: moments and scores in points up to now, oldest first; the last one is now.
        ahead: the same from now on, if nothing happens.
        threshold: the least engagement that the lead's cell asks for, in points.
        drops_out_at: when it leaves the MQL definition, if that lies ahead.
        is_past: whether "now" was some time ago.
    """
    word = "then" if is_past else "now"
    start, (now, score), end = past[0][0], past[-1], ahead[-1][0]
    most = max(threshold, *(value for _, value in (*past, *ahead)), 10)

    def place(moment: datetime, value: float) -> Place:
        x = _PLOT_WIDTH * ((moment - start) / (end - start))
        return Place(round(x, 1), round(_BOTTOM - (_BOTTOM - _TOP) * value / most, 1))

    here = place(now, score)
    leaves = drops_out_at if drops_out_at and drops_out_at <= end else None
    solid = [place(*point) for point in past]
    marks = [(start, 0.0), (now, here.x), *([(leaves, place(leaves, 0).x)] if leaves else [])]
    return DecayChart(
        past=_path(solid),
        future=_path([here, *(place(*point) for point in ahead)]),
        area=_path([Place(0, _BOTTOM), *solid, Place(here.x, _BOTTOM)]),
        now=here,
        exit=place(leaves, threshold) if leaves else None,
        figure=f"{int(score)} {word}",
        threshold=threshold,
        threshold_y=place(now, threshold).y,
        marks=_legible([*marks, (end, _PLOT_WIDTH)]),
        sentence=_sentence(past, word, leaves, threshold),
        rows=_by_day((*past, *ahead), now),
    )


def _by_day(course: Points, now: datetime) -> list[tuple[str, int]]:
    """Return the last score of each day, those to come as what they will be if nothing happens."""
    scores = {moment.date(): int(score) for moment, score in course}
    return [
        (f"{day.day} {day:%b}" + (", expected" if day > now.date() else ""), score)
        for day, score in scores.items()
    ]


def _path(places: Sequence[Place]) -> str:
    return " ".join(f"{place.x},{place.y}" for place in places)


def _legible(dates: Sequence[tuple[datetime, float]]) -> tuple[Mark, ...]:
    """Return the dates as marks, without those that would run into the one before."""
    marks: list[Mark] = []
    end = 0.0
    for moment, x in dates:
        anchor = "start" if x == 0 else "end" if x == _PLOT_WIDTH else "middle"
        left = x - {"start": 0, "middle": _LABEL_WIDTH / 2, "end": _LABEL_WIDTH}[anchor]
        if left >= end:
            marks.append(Mark(x, f"{moment.day} {moment:%b}", anchor))
            end = left + _LABEL_WIDTH
    return tuple(marks)


def _sentence(past: Points, word: str, leaves: datetime | None, threshold: int) -> str:
    """Return the picture in words."""
    (first, before), (_, score) = past[0], past[-1]
    words = f"Engagement {int(score)} {word}, {int(before)} on {first.day} {first:%B}"
    if leaves:
        return f"{words}; below {threshold} from {leaves.day} {leaves:%B} if nothing happens"
    return words

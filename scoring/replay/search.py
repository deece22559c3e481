"""Finding the first time at which a lead met a definition, with few looks at its score. Pure.

A stretch is a time in which fit, blocks and disqualifiers stayed as they were, so that only the
engagement decides. It rises when something is received, or when a negative line fades. The search
looks at the last instant of a run of acts: if the engagement cannot have been high enough at any
of them (``Gauge.ceiling``), none is looked at; else the run is halved, the earlier half first. What
it finds was read from the score query at that very instant, and nothing earlier can be missed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scoring.definition import Definition
from scoring.forecast import enters
from scoring.replay.gauge import Gauge, Sums


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time up to ``ends_at`` (not included) in which an engagement on ``levels`` makes an MQL.

    ``instants`` are when the stretch begins and when something was received in it, in order.
    """

    grade: str
    levels: frozenset[int]
    instants: Sequence[datetime]
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Met:
    """The definition was met: when first, and by what: the cell, or the buying act."""

    at: datetime
    rule: str


#: Asks for the sums at an instant; the answer is sent back. It returns what was found, if anything.
Search = Generator[datetime, Sums, Met | None]


class Seeker:
    """Searches stretches under one model."""

    def __init__(self, definition: Definition, gauge: Gauge) -> None:
        """Keep what every search needs."""
        self._definition, self._gauge = definition, gauge

    def least(self, levels: frozenset[int]) -> int:
        """Return the least engagement on one of ``levels``, in tenths."""
        return (*self._definition.levels, 0)[max(levels) - 1]

    def first(self, stretches: Sequence[Stretch]) -> Search:
        """Search stretches in order of time."""
        for stretch in stretches:
            last = len(stretch.instants) - 1
            sums = yield stretch.instants[last]
            found = yield from self._within(stretch, 0, last, sums)
            if found:
                return found
        return None

    def _within(self, stretch: Stretch, first: int, last: int, sums: Sums) -> Search:
        """Search the instants from ``first`` to ``last``; the sums are those of ``last``."""
        instants = stretch.instants
        span = instants[last] - instants[first]
        if self._gauge.ceiling(sums, span) < self.least(stretch.levels):
            return None
        if first == last:
            return self._after(stretch, last, sums)
        middle = (first + last) // 2
        earlier = yield instants[middle]
        found = yield from self._within(stretch, first, middle, earlier)
        return found or (yield from self._within(stretch, middle + 1, last, sums))

    def _after(self, stretch: Stretch, place: int, sums: Sums) -> Met | None:
        """Return when the definition is met from an instant on, before anything else happens."""
        at = stretch.instants[place]
        level = self._definition.level(self._gauge.score(sums))
        if level in stretch.levels:
            return Met(at, f"Cell {stretch.grade}{level}")
        until = [*stretch.instants[place + 1 : place + 2], stretch.ends_at][0]
        return self._by_time(stretch, sums, at, until - at)

    def _by_time(self, stretch: Stretch, sums: Sums, at: datetime, within: timedelta) -> Met | None:
        """Return the first minute at which time alone leads to one of the levels."""
        falls_in = stretch.levels != frozenset(range(1, max(stretch.levels) + 1))
        if not (self._gauge.may_rise or falls_in):
            return None
        amounts = self._gauge.amounts(sums)
        entry = enters(self._definition, amounts, levels=stretch.levels, within=within)
        return Met(at + entry.after, f"Cell {stretch.grade}{entry.level}") if entry else None

"""Replaying models over the cycles of some leads: when would each have become an MQL?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scoring.definition import LEVELS, Definition
from scoring.fit import fits_alike
from scoring.replay.fits import Fit, Fitting, next_midnight
from scoring.replay.gauge import Gauge, Sums, joint
from scoring.replay.log import (
    Buying,
    Cycle,
    Pair,
    Span,
    lay_out,
    read_buying,
    read_cycles,
    read_moments,
    read_recordings,
    read_sums,
)
from scoring.replay.search import Met, Search, Seeker, Stretch

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one model would have made of a cycle.

    ``mql_at`` is when the lead first met the definition and ``rule`` by what. ``score`` is the
    engagement in tenths when something was last learned of the cycle, ``fit`` the fit then.
    """

    mql_at: datetime | None
    rule: str
    score: int
    fit: int | None


def replay(
    definitions: Sequence[Definition], span: Span, *, now: datetime
) -> Iterator[tuple[Cycle, list[Verdict]]]:
    """Yield the cycles of the leads of a run with a verdict of each model, by lead and number.

    It wants a transaction, in which the log of the run is laid out.
    """
    lay_out(span)
    moments = read_moments(span)
    cycles = read_cycles(span, moments, now=now)
    if not cycles:
        return
    recorded = read_recordings(span)
    asked = joint(definitions)
    anchors = read_sums(span, asked, [(cycle.lead_id, cycle.anchor) for cycle in cycles])
    courses: list[Course] = []
    for definition in definitions:
        alike = (each.fitting for each in courses if fits_alike(each.definition, definition))
        fitting = next(alike, None) or Fitting(definition, span)
        gauge = Gauge(definition, asked)
        courses.append(Course(definition, gauge, fitting, span, cycles, recorded, anchors))
    searches = {
        (number, key): search
        for number, course in enumerate(courses)
        for key, search in course.searches(moments).items()
    }
    found = _run(searches, span, asked, anchors)
    for cycle in cycles:
        key = cycle.lead_id, cycle.number
        yield (
            cycle,
            [each.verdict(cycle, found.get((number, key))) for number, each in enumerate(courses)],
        )


def _run(
    searches: Mapping[tuple[int, Key], Search],
    span: Span,
    asked: Definition,
    known: dict[Pair, Sums],
) -> dict[tuple[int, Key], Met]:
    """Drive all searches at once: one query answers what they ask for in a round."""
    found: dict[tuple[int, Key], Met] = {}
    answers: dict[tuple[int, Key], Sums | None] = dict.fromkeys(searches)
    while answers:
        wanted: dict[tuple[int, Key], Pair] = {}
        for name, sums in answers.items():
            try:
                moment = searches[name].send(sums)  # type: ignore[arg-type]  # None starts it
            except StopIteration as end:
                if end.value:
                    found[name] = end.value
            else:
                wanted[name] = (name[1][0], moment)
        missing = {pair for pair in wanted.values() if pair not in known}
        if missing:
            known |= read_sums(span, asked, sorted(missing))
        answers = {name: known[pair] for name, pair in wanted.items()}
    return found


class Course:
    """The replay of one model over the cycles of one run."""

    def __init__(
        self,
        definition: Definition,
        gauge: Gauge,
        fitting: Fitting,
        span: Span,
        cycles: Sequence[Cycle],
        recorded: Mapping[int, Sequence[datetime]],
        anchors: Mapping[Pair, Sums],
    ) -> None:
        """Learn how each cycle fitted at its end, and which could have become an MQL at all."""
        self.definition, self.fitting, self._gauge = definition, fitting, gauge
        self._recorded, self._anchors = recorded, anchors
        self._seeker = Seeker(definition, gauge)
        self._buying = read_buying(span, definition)
        self.fitting.ask((cycle, cycle.anchor) for cycle in cycles)
        self.hopeful = [cycle for cycle in cycles if self._may_qualify(cycle)]
        self._bought: dict[Key, Met] = {}

    def _may_qualify(self, cycle: Cycle) -> bool:
        """Say whether anything of the cycle's acts could reach any cell, or was a buying act."""
        if cycle.first_at is None:
            return False
        if cycle.lead_id in self._buying:
            return True
        levels = {int(cell[1]) for cell in self._cells_in_reach(cycle)}
        sums = self._anchors[cycle.lead_id, cycle.anchor]
        ceiling = self._gauge.ceiling(sums, cycle.anchor - cycle.first_at)
        return bool(levels) and ceiling >= self._seeker.least(frozenset(levels))

    def _cells_in_reach(self, cycle: Cycle) -> Iterable[str]:
        """The cells that a cycle's fit allows; any, if the fit was not always what it is last."""
        if self.fitting.moves_with_time or self._changed_in(cycle):
            return self.definition.cells
        fit = self.fitting.of(cycle, cycle.anchor)
        is_out = fit.is_blocked or self._ends(cycle, cycle.anchor, fit)
        grade = "" if is_out else self.definition.grade(fit.fit)
        return [cell for cell in self.definition.cells if grade and cell[0] == grade]

    def _changed_in(self, cycle: Cycle) -> Sequence[datetime]:
        """When the fit may have changed in the cycle, after something was first learned of it."""
        changes = self.fitting.changes.get(cycle.lead_id, ())
        if cycle.first_at is None:
            return ()
        return changes[bisect_right(changes, cycle.first_at) : bisect_left(changes, cycle.until_at)]

    def searches(self, moments: Mapping[int, Sequence[datetime]]) -> dict[Key, Search]:
        """Return a search for each cycle that could have become an MQL by its score."""
        epochs = {cycle: list(self._epochs(cycle)) for cycle in self.hopeful}
        self.fitting.ask((cycle, at) for cycle, starts in epochs.items() for at in starts)
        found = {}
        for cycle, starts in epochs.items():
            periods = self._periods(cycle, starts)
            self._buy(cycle, periods)
            stretches = list(self._stretches(cycle, periods, moments[cycle.lead_id]))
            if stretches:
                found[cycle.lead_id, cycle.number] = self._seeker.first(stretches)
        return found

    def verdict(self, cycle: Cycle, met: Met | None) -> Verdict:
        """Return what the model would have made of a cycle, given what its search found."""
        bought = self._bought.get((cycle.lead_id, cycle.number))
        first = min(filter(None, (bought, met)), key=lambda each: each.at, default=None)
        return Verdict(
            mql_at=first.at if first else None,
            rule=first.rule if first else "",
            score=self._gauge.score(self._anchors[cycle.lead_id, cycle.anchor]),
            fit=self.fitting.of(cycle, cycle.anchor).fit,
        )

    def _epochs(self, cycle: Cycle) -> Iterator[datetime]:
        """Yield when a cycle may have begun to fit otherwise; first, when it is first asked."""
        at = cycle.first_at
        if at is None:
            return
        yield at
        days = self._midnights(at, cycle.until_at) if self.fitting.moves_with_time else ()
        asked_again = [each for each in self._end_of_pardon(cycle) if at < each < cycle.until_at]
        yield from sorted({*self._changed_in(cycle), *days, *asked_again})

    @staticmethod
    def _midnights(after: datetime, before: datetime) -> Iterator[datetime]:
        midnight = next_midnight(after)
        while midnight < before:
            yield midnight
            midnight = next_midnight(midnight)

    def _ends(self, cycle: Cycle, at: datetime, fit: Fit) -> bool:
        """Say whether the lead is disqualified; one that came back, only by what is recorded then.

        Nothing but a person brings it back, and that is another cycle.
        """
        is_pardoned = cycle.number > 1 and not any(end <= at for end in self._end_of_pardon(cycle))
        return fit.is_disqualified and not is_pardoned

    def _end_of_pardon(self, cycle: Cycle) -> Sequence[datetime]:
        """When a lead that came back is asked again: as soon as something is recorded of it."""
        recorded = self._recorded.get(cycle.lead_id, ())
        later = bisect_right(recorded, cycle.began_at)
        return recorded[later : later + 1] if cycle.number > 1 else ()

    def _periods(
        self, cycle: Cycle, starts: Sequence[datetime]
    ) -> list[tuple[datetime, datetime, Fit]]:
        """Return the times in which a cycle was open, as long as its fit stayed the same."""
        periods: list[tuple[datetime, datetime, Fit]] = []
        for start, end in zip(starts, [*starts[1:], cycle.until_at], strict=True):
            fit = self.fitting.of(cycle, start)
            if self._ends(cycle, start, fit):
                break
            if periods and periods[-1][1:] == (start, fit):
                periods[-1] = (periods[-1][0], end, fit)
            elif not fit.is_blocked:
                periods.append((start, end, fit))
        return periods

    def _buy(self, cycle: Cycle, periods: Sequence[tuple[datetime, datetime, Fit]]) -> None:
        """Note the first time at which a buying act counted and nothing barred the lead."""
        within = self.definition.fast_track_within
        found = [
            Met(max(start, act.received_at), _fast_track(act))
            for act in self._buying.get(cycle.lead_id, ())
            if cycle.counts_from is None or act.occurred_at > cycle.counts_from
            for start, end, _ in periods
            if max(start, act.received_at) < min(end, act.occurred_at + within)
        ]
        if found:
            self._bought[cycle.lead_id, cycle.number] = min(found, key=lambda each: each.at)

    def _stretches(
        self,
        cycle: Cycle,
        periods: Iterable[tuple[datetime, datetime, Fit]],
        moments: Sequence[datetime],
    ) -> Iterator[Stretch]:
        """Yield what is to be searched: up to the buying act, if there was one."""
        bought = self._bought.get((cycle.lead_id, cycle.number))
        for start, end, fit in periods:
            until = min(end, bought.at) if bought else end
            grade = self.definition.grade(fit.fit)
            levels = frozenset(x for x in LEVELS if f"{grade}{x}" in self.definition.cells)
            if start < until and grade and levels:
                later = moments[bisect_right(moments, start) : bisect_left(moments, until)]
                yield Stretch(grade, levels, [start, *later], until)


def _fast_track(act: Buying) -> str:
    words = act.kind.label
    return f"Fast track: {words[0].lower()}{words[1:]}"

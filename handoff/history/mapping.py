"""What a file of past handoffs means, read and checked from its JSON. Pure.

The document is described in docs/importing.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from handoff.enums import ClockKind, HandoffState
from handoff.policy import Targets, default_targets
from leads.importing.document_reader import DocumentReader, common_of, moment_of
from leads.importing.mapping import FileMapping, Moment

_OUTCOMES = (HandoffState.QUALIFIED, HandoffState.RECYCLED, HandoffState.DISQUALIFIED)
_TARGET_NAMES = MappingProxyType({kind.value.lower(): kind for kind in ClockKind})
_MOST_MINUTES = 60 * 24 * 366


@dataclass(frozen=True)
class HandoffMapping(FileMapping):
    """A file of handoffs; ``lead`` is the column of the lead's number in ``system``.

    ``stops`` holds, per clock that the other tool recorded, the instant that stopped it. ``states``
    is the word of ``outcome`` -> how the handoff ended; an empty column means ``ending`` for all.
    ``targets`` is the working time owed per word of ``priority``; ``otherwise`` that of all others.
    """

    lead: str = ""
    assigned_at: Moment = field(default_factory=Moment)
    stops: Mapping[ClockKind, Moment] = field(default_factory=dict)
    outcome: str = ""
    states: Mapping[str, HandoffState] = field(default_factory=dict)
    ending: HandoffState | None = None
    team: str = ""
    creates_teams: bool = False
    rep: str = ""
    creates_reps: bool = False
    priority: str = ""
    targets: Mapping[str, Targets] = field(default_factory=dict)
    otherwise: Targets | None = None

    def columns(self) -> set[str]:
        """Return every column the mapping reads."""
        moments = (self.assigned_at, *self.stops.values())
        named = {self.lead, self.outcome, self.team, self.rep, self.priority}
        return (super().columns() | named | {moment.column for moment in moments}) - {""}

    @property
    def resolved_at(self) -> Moment:
        """Return when the handoff ended: what stops the clock of the verdict."""
        return self.stops[ClockKind.VERDICT]


def parse_handoff_mapping(document: Any) -> HandoffMapping:
    """Return the mapping of a file of past handoffs.

    Raises:
        MappingInvalid: naming everything that is wrong with its path.
    """
    reader = DocumentReader(document)
    outcome, team, rep = (reader.child(name) for name in ("outcome", "team", "rep"))
    priority = reader.child("priority")
    targets = {word: _targets(at) for word, at in _named(priority.child("targets"))}
    mapping = HandoffMapping(
        **common_of(reader),
        lead=reader.text("lead", required=True),
        assigned_at=moment_of(reader.child("assigned_at"), reader),
        stops=dict(_stops(reader)),
        outcome=outcome.text("column"),
        states=dict(_states(outcome)),
        ending=_ending(outcome),
        team=team.text("column"),
        creates_teams=team.flag("create"),
        rep=rep.text("column"),
        creates_reps=rep.flag("create"),
        priority=priority.text("column"),
        targets=targets,
        otherwise=_otherwise(priority),
    )
    if not mapping.key:
        reader.refuse("key", "must name the column of the handoff's number")
    reader.finish()
    return mapping


def _stops(reader: DocumentReader) -> Iterator[tuple[ClockKind, Moment]]:
    """Yield the clocks that the file can measure; that of the verdict always."""
    for name, kind in (
        ("accepted_at", ClockKind.ACCEPT),
        ("first_response_at", ClockKind.FIRST_TOUCH),
    ):
        if reader.has(name):
            yield kind, moment_of(reader.child(name), reader)
    yield ClockKind.VERDICT, moment_of(reader.child("resolved_at"), reader)


def _states(outcome: DocumentReader) -> Iterator[tuple[str, HandoffState]]:
    for state in _OUTCOMES:
        for word in outcome.words(state.value.lower()):
            yield word, state


def _ending(outcome: DocumentReader) -> HandoffState | None:
    """Return how all handoffs of the file ended, when one column does not say it."""
    constant = outcome.text("constant")
    if constant in _OUTCOMES:
        return HandoffState(constant)
    offered = ", ".join(_OUTCOMES)
    if constant:
        outcome.refuse("constant", f"must be one of {offered}")
    elif not outcome.text("column"):
        outcome.refuse("column", f"must name a column with its words, or constant one of {offered}")
    return None


def _otherwise(priority: DocumentReader) -> Targets | None:
    """Return what is owed where no priority says it; the default policy where nothing does."""
    if priority.has("otherwise"):
        return _targets(priority.child("otherwise"))
    return None if priority.text("column") else default_targets(is_fast_track=False)


def _named(reader: DocumentReader) -> Iterator[tuple[str, DocumentReader]]:
    for name in reader.raw:
        yield name, reader.child(name)


def _targets(reader: DocumentReader) -> Targets:
    """Return the working time owed per clock, given in minutes."""
    found = {}
    for name, kind in _TARGET_NAMES.items():
        minutes = reader.get(name, None)
        if minutes is None:
            continue
        is_number = isinstance(minutes, int) and not isinstance(minutes, bool)
        if is_number and 0 < minutes <= _MOST_MINUTES:
            found[kind] = timedelta(minutes=minutes)
        else:
            reader.refuse(name, f"needs whole minutes of working time, 1 to {_MOST_MINUTES:,}")
    return found

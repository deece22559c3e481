"""One line of past handoffs: what it says, or why it is refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from handoff.enums import ClockKind, HandoffState
from handoff.history.mapping import HandoffMapping
from handoff.policy import Targets
from leads.importing.mapping import Moment
from leads.importing.rows import LONGEST_KEY, LONGEST_NAME, Refused, read_moment

_LONGEST_TEAM = 100


@dataclass(frozen=True, slots=True)
class PastHandoff:
    """What a line says. ``stops`` holds the instants that are known; without an end it is open."""

    number: str
    lead: str
    assigned_at: datetime
    stops: Mapping[ClockKind, datetime]
    state: HandoffState
    team: str
    rep: str
    priority: str
    targets: Targets

    @property
    def ended_at(self) -> datetime | None:
        """Return when it was resolved, None while it is not."""
        return self.stops.get(ClockKind.VERDICT)


def read_line(cells: Mapping[str, str], mapping: HandoffMapping, *, now: datetime) -> PastHandoff:
    """Return what the cells, by column, say.

    Raises:
        Refused: the message begins with the column.
    """
    assigned_at = _moment(cells, mapping.assigned_at, now)
    if assigned_at is None:
        raise Refused(f"{mapping.assigned_at.column}: is empty")
    stops = _stops(cells, mapping, assigned_at, now)
    return PastHandoff(
        number=_text(cells, mapping.key, LONGEST_KEY, required=True),
        lead=_text(cells, mapping.lead, LONGEST_KEY, required=True),
        assigned_at=assigned_at,
        stops=stops,
        state=_state(cells, mapping) if ClockKind.VERDICT in stops else HandoffState.WORKING,
        team=_text(cells, mapping.team, _LONGEST_TEAM),
        rep=_text(cells, mapping.rep, LONGEST_NAME),
        priority=_text(cells, mapping.priority, _LONGEST_TEAM),
        targets=_targets(cells, mapping),
    )


def _text(cells: Mapping[str, str], column: str, limit: int, *, required: bool = False) -> str:
    text = cells[column] if column else ""
    if required and not text:
        raise Refused(f"{column}: is empty")
    if len(text) > limit:
        raise Refused(f"{column}: is longer than {limit} characters")
    return text


def _moment(cells: Mapping[str, str], moment: Moment, now: datetime) -> datetime | None:
    """Return the instant of a cell, None for an empty one."""
    text = cells[moment.column] if moment.column else ""
    if not text:
        return now if moment.otherwise_import else None
    try:
        return read_moment(text, moment, now=now)
    except Refused as problem:
        raise Refused(f"{moment.column}: {problem}") from problem


def _stops(
    cells: Mapping[str, str], mapping: HandoffMapping, assigned_at: datetime, now: datetime
) -> dict[ClockKind, datetime]:
    """Return the instants that stopped clocks, each between the beginning and the end."""
    read = {kind: _moment(cells, moment, now) for kind, moment in mapping.stops.items()}
    stops = {kind: at for kind, at in read.items() if at is not None}
    end = stops.get(ClockKind.VERDICT)
    for kind, at in stops.items():
        column = mapping.stops[kind].column
        if at < assigned_at:
            raise Refused(f"{column}: lies before {mapping.assigned_at.column}")
        if end is not None and at > end:
            raise Refused(f"{column}: lies after {mapping.resolved_at.column}")
    return stops


def _state(cells: Mapping[str, str], mapping: HandoffMapping) -> HandoffState:
    if mapping.ending is not None:
        return mapping.ending
    word = cells[mapping.outcome]
    if word not in mapping.states:
        known = ", ".join(sorted(mapping.states)) or "none"
        raise Refused(f"{mapping.outcome}: {word[:40]!r} is no outcome of the mapping: {known}")
    return mapping.states[word]


def _targets(cells: Mapping[str, str], mapping: HandoffMapping) -> Targets:
    word = cells[mapping.priority] if mapping.priority else ""
    owed = mapping.targets.get(word, mapping.otherwise)
    if owed is None:
        known = ", ".join(sorted(mapping.targets)) or "none"
        raise Refused(f"{mapping.priority}: {word[:40]!r} has no targets in the mapping: {known}")
    return owed

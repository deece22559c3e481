"""Applying lines of past handoffs: rows of what was, no routing, no alarm, no mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.sql import SQL, Identifier

from crm.accounts.models import SalesTeam, User
from handoff.answer_lines import blank_lines
from handoff.brief import digest
from handoff.business_hours import NoOpening, SpanInvalid, working_time_between
from handoff.enums import ClockKind
from handoff.frameworks import DEFAULT_QUALIFICATION
from handoff.history.lines import PastHandoff, read_line
from handoff.history.mapping import HandoffMapping
from handoff.models import (
    BantAssessment,
    Clock,
    Handoff,
    HolderInterval,
    ImportedHandoff,
    WorkCalendar,
)
from handoff.services.calendars import calendar_of
from handoff.services.clocks import new_clock
from leads.enums import RowResult
from leads.importing.people import people_named
from leads.importing.results import Result
from leads.importing.rows import Refused
from leads.importing.sql.lines import Lines
from leads.importing.sql.tables import fetch
from leads.models import ExternalId, Lead, StageInterval

_WHY = "Imported"


@dataclass(frozen=True)
class _Known:
    """What the lines of a chunk refer to, by the names that they use."""

    leads: Mapping[str, Lead]
    cycles: Mapping[int, Sequence[tuple[datetime, int]]]
    teams: Mapping[str, SalesTeam]
    reps: Mapping[str, User]
    calendars: Mapping[int | None, WorkCalendar]
    recorded: frozenset[str]


@dataclass(frozen=True)
class _Made:
    """One handoff with its clocks, to be written with those of the whole chunk."""

    handoff: Handoff
    clocks: Sequence[Clock]
    origin: ImportedHandoff


def apply_handoffs(lines: Lines, mapping: HandoffMapping, *, now: datetime) -> list[Result]:
    """Write the past handoffs of ``lines`` in the caller's transaction, each once for ever.

    One that is not resolved yet is left to the tool that has it: an open handoff has deadlines.
    """
    results: list[Result] = []
    read: list[tuple[int, PastHandoff]] = []
    for row_id, cells in _cells(lines):
        try:
            read.append((row_id, read_line(cells, mapping, now=now)))
        except Refused as problem:
            results.append(Result(row_id, RowResult.REFUSED, str(problem)))
    known = _look_up([past for _, past in read], mapping)
    made: list[_Made] = []
    for row_id, past in read:
        results.append(_decide(row_id, past, known, mapping, made))
    _write(made)
    return results


def _cells(lines: Lines) -> list[tuple[int, dict[str, str]]]:
    """Return the id of each line and its cells by the column of the file."""
    columns = SQL(", ").join(map(Identifier, lines.columns.values()))
    rows = fetch(SQL("SELECT id, {} FROM import_line ORDER BY number").format(columns))
    return [(pk, dict(zip(lines.columns, said, strict=True))) for pk, *said in rows]


def _look_up(read: Sequence[PastHandoff], mapping: HandoffMapping) -> _Known:
    """Find all that the lines name; make teams and reps if the mapping says so."""
    numbers = ExternalId.objects.filter(
        system=mapping.system, external_id__in={past.lead for past in read}
    )
    leads = {each.external_id: each.lead for each in numbers.select_related("lead")}
    teams = _teams({past.team for past in read if past.team}, creates=mapping.creates_teams)
    recorded = ImportedHandoff.objects.filter(
        system=mapping.system, external_id__in=[past.number for past in read]
    )
    return _Known(
        leads=leads,
        cycles=_cycles([lead.pk for lead in leads.values()]),
        teams=teams,
        reps=people_named(
            (past.rep for past in read), system=mapping.system, creates=mapping.creates_reps
        ),
        calendars={
            team.pk if team else None: calendar_of(team) for team in (None, *teams.values())
        },
        recorded=frozenset(recorded.values_list("external_id", flat=True)),
    )


def _teams(names: set[str], *, creates: bool) -> dict[str, SalesTeam]:
    if creates:
        SalesTeam.objects.bulk_create(
            (SalesTeam(name=name) for name in sorted(names)), ignore_conflicts=True
        )
    return {team.name: team for team in SalesTeam.objects.filter(name__in=names)}


def _cycles(lead_ids: Sequence[int]) -> dict[int, list[tuple[datetime, int]]]:
    """Return when which cycle of a lead was running, in order."""
    found: dict[int, list[tuple[datetime, int]]] = {}
    intervals = StageInterval.objects.filter(lead__in=lead_ids).order_by("sequence")
    for lead_id, started_at, cycle in intervals.values_list("lead_id", "started_at", "cycle"):
        found.setdefault(lead_id, []).append((started_at, cycle))
    return found


def _decide(
    row_id: int, past: PastHandoff, known: _Known, mapping: HandoffMapping, made: list[_Made]
) -> Result:
    """Return what becomes of one line; a new handoff is added to ``made``."""
    lead = known.leads.get(past.lead)
    if problem := _missing(past, lead, known, mapping):
        return Result(row_id, RowResult.REFUSED, problem)
    lead_id = lead.pk if lead else None
    if past.number in known.recorded:
        return Result(row_id, RowResult.UNCHANGED, "", lead_id)
    if past.ended_at is None:
        return Result(row_id, RowResult.UNCHANGED, "The handoff is still open", lead_id)
    try:
        made.append(_make(past, past.ended_at, known, mapping.system))
    except (NoOpening, SpanInvalid) as problem:
        why = f"{mapping.assigned_at.column}: {problem}"
        return Result(row_id, RowResult.REFUSED, why)
    return Result(row_id, RowResult.NEW, "", lead_id)


def _missing(past: PastHandoff, lead: Lead | None, known: _Known, mapping: HandoffMapping) -> str:
    """Say what the line names and nobody knows; empty when all is known."""
    if lead is None:
        return f"{mapping.lead}: there is no lead {past.lead!r}"
    if past.team and past.team not in known.teams:
        return f'{mapping.team}: there is no team {past.team!r}; "create": true would make it'
    if past.rep and past.rep not in known.reps:
        return f'{mapping.rep}: there is nobody {past.rep!r}; "create": true would add the name'
    return ""


def _make(past: PastHandoff, ended_at: datetime, known: _Known, system: str) -> _Made:
    lead, team = known.leads[past.lead], known.teams.get(past.team)
    brief = _brief(past)
    handoff = Handoff(
        lead=lead,
        cycle=_cycle(known.cycles.get(lead.pk, ()), past.assigned_at, lead),
        team=team,
        holder=known.reps.get(past.rep),
        state=past.state,
        calendar=known.calendars[team.pk if team else None],
        raised_at=past.assigned_at,
        opened_at=past.assigned_at,
        accepted_at=past.stops.get(ClockKind.ACCEPT),
        first_touch_at=past.stops.get(ClockKind.FIRST_TOUCH),
        closed_at=ended_at,
        brief=brief,
        brief_digest=digest(brief),
        why=_WHY,
    )
    return _Made(
        handoff=handoff,
        clocks=[_clock(handoff, past, kind, ended_at) for kind in past.targets],
        origin=ImportedHandoff(
            handoff=handoff, system=system, external_id=past.number, priority=past.priority
        ),
    )


def _brief(past: PastHandoff) -> dict[str, Any]:
    """Return the brief of a handoff for which none was written."""
    return {
        "frozen_at": past.assigned_at.isoformat(),
        "contact": {},
        "opening": "",
        "acts": [],
        "open_questions": [],
    }


def _cycle(since: Sequence[tuple[datetime, int]], at: datetime, lead: Lead) -> int:
    return next((cycle for begun, cycle in reversed(since) if begun <= at), lead.cycle)


def _clock(handoff: Handoff, past: PastHandoff, kind: ClockKind, ended_at: datetime) -> Clock:
    """Return a clock as it ended: stopped by what was recorded, else withdrawn at the end."""
    clock = new_clock(handoff, kind, past.targets[kind])
    clock.alarm, clock.alarm_at, clock.reassign_at = "", None, None
    stopped_at = past.stops.get(kind)
    if stopped_at is None:
        clock.withdrawn_at = ended_at
    else:
        clock.stopped_at = stopped_at
        clock.elapsed = working_time_between(clock.started_at, stopped_at, handoff.calendar.hours)
    if clock.due_at < (stopped_at or ended_at):
        clock.breached_at = clock.due_at
    return clock


def _write(made: Sequence[_Made]) -> None:
    handoffs = Handoff.objects.bulk_create(each.handoff for each in made)
    Clock.objects.bulk_create(clock for each in made for clock in each.clocks)
    ImportedHandoff.objects.bulk_create(each.origin for each in made)
    HolderInterval.objects.bulk_create(
        HolderInterval(
            handoff=each, holder=each.holder, started_at=each.opened_at, ended_at=each.closed_at
        )
        for each in handoffs
    )
    BantAssessment.objects.bulk_create(
        BantAssessment(
            handoff=each, lines=blank_lines(DEFAULT_QUALIFICATION), saved_at=each.opened_at
        )
        for each in handoffs
    )

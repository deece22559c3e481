"""The past of each line: its stages in order, with their instants, or why it cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg.sql import SQL, Composable, Literal

from leads.enums import LifecycleStage
from leads.importing.mapping import LeadMapping, Moment, Move
from leads.importing.rows import SKIPPED
from leads.importing.sql.lines import Lines
from leads.importing.sql.questions import Question, ask, moment_question, moment_value
from leads.importing.sql.tables import any_of, create_table, fault, first_fault
from leads.lifecycle import TRANSITIONS, cycle_after

_UNKNOWN = "it is not known when the lead was captured"
_TOLD = SQL("""
    SELECT import_line.id, {position} AS position, {stage} AS stage, {implied} AS implied,
        {at} AS at, {fault} AS fault, {at_name} AS at_name, {when_name} AS when_name
    FROM import_line {join} WHERE {applies}""")
#: ``move`` is such as MQL>SAL; a move that the table forbids and the mapping does not imply is one
#: of the faults. The first fault of a line in its order counts.
_STEPS = SQL("""
    SELECT id, position, stage, at,
        row_number() OVER past AS sequence,
        first_value(at) OVER past AS captured_at,
        lead(at) OVER past AS ended_at,
        1 + count(*) FILTER (WHERE {starts_cycle}) OVER past AS cycle,
        NOT {is_lawful} AS is_jump,
        CASE
            WHEN fault IS NOT NULL THEN fault
            WHEN at < since THEN {before}
            WHEN NOT {is_lawful} AND NOT implied THEN {unlawful}
        END AS fault
    FROM (
        SELECT *, lag(stage) OVER past AS before, lag(at) OVER past AS since,
            lag(stage) OVER past || '>' || stage AS move
        FROM ({told}) AS told WINDOW past AS (PARTITION BY id ORDER BY position)
    ) AS step
    WINDOW past AS (PARTITION BY id ORDER BY position)""")
_LAWFUL = [f"{a}>{b}" for a, after in TRANSITIONS.items() for b in after]
_CYCLE_STARTS = [
    f"{a}>{b}" for a in LifecycleStage for b in LifecycleStage if cycle_after(1, a, b) > 1
]
_LABELS = json.dumps(dict(LifecycleStage.choices))
_WRITE = SQL("""
    INSERT INTO leads_stageinterval (lead_id, sequence, stage, cycle, started_at, ended_at, rule,
        reason, is_override, is_imported, cell)
    SELECT made.lead_id, step.sequence, step.stage, step.cycle, step.at, step.ended_at, {rule},
        CASE WHEN step.is_jump THEN {reason} ELSE '' END, step.is_jump, true, ''
    FROM import_match AS made JOIN import_step AS step USING (id)
    WHERE made.is_new ORDER BY made.number, step.position""")


@dataclass(frozen=True)
class _Told:
    """A stage that lines may tell of; ``empty`` is the refusal when its instant is missing.

    ``question`` reads the instant; there is none where it is always the moment of the import.
    """

    position: int
    move: Move
    empty: str
    question: Question | None


def check_history(lines: Lines, mapping: LeadMapping, *, now: datetime) -> None:
    """Make the table ``import_step``: the stages of each line, LEAD first."""
    told = list(_told(lines, mapping, now))
    questions = [each.question for each in told if each.question]
    joins = dict(zip((each.name for each in questions), ask(questions), strict=True))
    selects = [
        _select(lines, each, joins[each.question.name] if each.question else SQL(""), now)
        for each in told
    ]
    create_table(
        "import_step",
        _STEPS.format(
            told=SQL(" UNION ALL ").join(selects),
            is_lawful=_is_lawful(),
            starts_cycle=any_of(SQL("move"), _CYCLE_STARTS),
            before=fault(_before()),
            unlawful=fault(_unlawful()),
        ),
    )


def intervals_of_new_leads(rule: str) -> Composable:
    """Return the statement that writes the history of the new leads in ``import_match``."""
    return _WRITE.format(rule=Literal(rule), reason=Literal(SKIPPED))


def _told(lines: Lines, mapping: LeadMapping, now: datetime) -> Iterator[_Told]:
    captured = Move(LifecycleStage.LEAD, mapping.created_at or Moment(otherwise_import=True))
    for position, move in enumerate((captured, *mapping.history)):
        why = f"the lead became {move.stage.label}" if position else _UNKNOWN
        joint = ", but " if position else ", so "
        question = moment_question(f"at{position}", lines.cell(move.at.column), move.at, now)
        yield _Told(position, move, f"is empty{joint}{why}", question)


def _select(lines: Lines, told: _Told, join: Composable, now: datetime) -> Composable:
    move = told.move
    applies: Composable = SQL("true")
    if move.column:
        is_formula, _ = lines.formula(move.column)
        applies = SQL("({} OR {})").format(any_of(lines.cell(move.column), move.values), is_formula)
    return _TOLD.format(
        position=Literal(told.position),
        stage=Literal(move.stage.value),
        implied=Literal(move.implied),
        at=moment_value(told.question, move.at, now),
        fault=first_fault(list(_faults(lines, told))),
        at_name=Literal(move.at.column or move.stage.value),
        when_name=Literal(move.column or move.stage.value),
        join=join,
        applies=applies,
    )


def _faults(lines: Lines, told: _Told) -> Iterator[tuple[Composable, Composable]]:
    """Yield what can be wrong with the cells of a stage, in the order told."""
    moment = told.move.at
    if told.move.column:
        yield lines.formula(told.move.column)
    if told.question:
        yield lines.formula(moment.column)
        yield told.question.refusal(moment.column)
        if not moment.otherwise_import:
            yield lines.empty(moment.column, told.empty)


def _is_lawful() -> Composable:
    return SQL("(move IS NULL OR {})").format(any_of(SQL("move"), _LAWFUL))


def _label(stage: str) -> Composable:
    return SQL("({}::jsonb ->> {})").format(Literal(_LABELS), SQL(stage))


def _before() -> Composable:
    written = [_label("stage"), _minute("at"), _label("before"), _minute("since")]
    return SQL("format('%s: %s on %s would come before %s on %s', at_name, {})").format(
        SQL(", ").join(written)
    )


def _minute(instant: str) -> Composable:
    return SQL("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')").format(SQL(instant))


def _unlawful() -> Composable:
    return SQL("format('%s: %s to %s is not allowed', when_name, {}, {})").format(
        _label("before"), _label("stage")
    )

"""Lines of deals: what each says, or why it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.sql import SQL, Composable, Literal

from leads.enums import DealOutcome
from leads.importing.mapping import DealMapping
from leads.importing.rows import (
    LONGEST_KEY,
    LONGEST_NAME,
    DealRow,
    Ending,
    read_amount,
)
from leads.importing.sql.lines import Lines
from leads.importing.sql.questions import Question, ask, moment_question, moment_value
from leads.importing.sql.tables import any_of, create_table, fault, fetch, first_fault

_DEALS = SQL("""
    SELECT import_line.id, import_line.number, {key} AS external_id, {lead} AS lead_number,
        {outcome} AS outcome, {at} AS closed_at, {value} AS value, {owner} AS owner,
        {product} AS product, {attributes} AS attributes, {fault} AS fault
    FROM import_line {joins}""")
_GOOD = """
    SELECT id, external_id, lead_number, outcome, closed_at, value, owner, product, attributes
    FROM import_deal WHERE fault IS NULL ORDER BY number"""


def check_deals(lines: Lines, mapping: DealMapping, *, now: datetime) -> None:
    """Make the table ``import_deal``, a row for each line; ``fault`` says why one is refused."""
    moment = mapping.closed_at
    closed = moment_question("closed", lines.cell(moment.column), moment, now)
    amount = _amount(lines, mapping)
    questions = [each for each in (closed, amount) if each]
    create_table(
        "import_deal",
        _DEALS.format(
            key=lines.cell(mapping.key),
            lead=lines.cell(mapping.lead),
            outcome=_outcome(lines, mapping),
            at=moment_value(closed, moment, now),
            value=amount.value if amount else SQL("NULL::numeric"),
            owner=lines.cell(mapping.owner),
            product=lines.cell(mapping.product),
            attributes=_attributes(lines, mapping.attributes),
            fault=first_fault(list(_faults(lines, mapping, closed, amount))),
            joins=SQL("").join(ask(questions)),
        ),
    )


def good_deals() -> list[tuple[int, DealRow]]:
    """Return the deals of ``import_deal`` that can be taken, each with the id of its line."""
    return [(pk, _row(*said)) for pk, *said in fetch(_GOOD)]


def _row(
    external_id: str,
    lead_number: str,
    outcome: str | None,
    closed_at: datetime,
    value: Any,
    owner: str,
    product: str,
    attributes: str,
) -> DealRow:
    ending = Ending(DealOutcome(outcome), closed_at) if outcome else None
    return DealRow(external_id, lead_number, ending, value, owner, product, json.loads(attributes))


def _amount(lines: Lines, mapping: DealMapping) -> Question | None:
    if not mapping.value:
        return None
    cell = lines.cell(mapping.value)

    def judge(text: str) -> str | None:
        amount = read_amount(text, mapping.decimal)
        return None if amount is None else str(amount)

    return Question("amount", cell, SQL("{} <> ''").format(cell), judge, "numeric")


def _outcome(lines: Lines, mapping: DealMapping) -> Composable:
    """Return WON, LOST, or NULL for a deal that is still open."""
    rule = mapping.outcome
    if rule.constant:
        return Literal(rule.constant.value)
    word = lines.cell(rule.column)
    return SQL("CASE WHEN {} THEN 'WON' WHEN {} THEN 'LOST' END").format(
        any_of(word, rule.won), any_of(word, rule.lost)
    )


def _faults(
    lines: Lines, mapping: DealMapping, closed: Question | None, amount: Question | None
) -> Iterator[tuple[Composable, Composable]]:
    """Yield what can be wrong with a line, in the order told."""
    yield lines.formula(mapping.key)
    yield lines.longer(mapping.key, LONGEST_KEY)
    yield lines.formula(mapping.lead)
    yield lines.empty(mapping.key)
    yield lines.empty(mapping.lead)
    if mapping.outcome.column and not mapping.outcome.constant:
        yield lines.formula(mapping.outcome.column)
    if closed:
        yield from _ending_faults(lines, mapping, closed)
    if amount:
        yield lines.formula(mapping.value)
        yield amount.refusal(mapping.value)
    for column in filter(None, (mapping.owner, mapping.product)):
        yield lines.formula(column)
        yield lines.longer(column, LONGEST_NAME)
    for column in mapping.attributes.values():
        yield lines.formula(column)


def _ending_faults(
    lines: Lines, mapping: DealMapping, closed: Question
) -> Iterator[tuple[Composable, Composable]]:
    """Yield what can be wrong with the instant of an ending; open deals are asked for none."""
    outcome, moment = _outcome(lines, mapping), mapping.closed_at
    wrong = [lines.formula(moment.column), closed.refusal(moment.column)]
    if not moment.otherwise_import:
        name = SQL("CASE {} WHEN 'WON' THEN {} ELSE {} END").format(
            outcome, Literal(DealOutcome.WON.label), Literal(DealOutcome.LOST.label)
        )
        why = Literal(f"{moment.column}: is empty, but the deal is ")
        is_empty, _ = lines.empty(moment.column)
        wrong.append((is_empty, fault(SQL("{} || {}").format(why, name))))
    for condition, refusal in wrong:
        yield SQL("{} IS NOT NULL AND {}").format(outcome, condition), refusal


def _attributes(lines: Lines, columns: Mapping[str, str]) -> Composable:
    """Return the cells that give an answer, by name."""
    if not columns:
        return SQL("'{}'::jsonb")
    pairs: Sequence[Composable] = [
        SQL("({}, {})").format(Literal(name), lines.cell(column))
        for name, column in columns.items()
    ]
    return SQL(
        "(SELECT coalesce(jsonb_object_agg(name, text) FILTER (WHERE text <> ''), '{{}}')"
        " FROM (VALUES {}) AS said (name, text))"
    ).format(SQL(", ").join(pairs))

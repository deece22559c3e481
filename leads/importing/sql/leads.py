"""Lines of leads: the values of each as they are stored, or why it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg.sql import SQL, Composable, Identifier, Literal

from leads.attributes import TEXT_LIMIT
from leads.enums import AttributeType
from leads.importing.mapping import ATTRIBUTE_PREFIX, LeadMapping
from leads.importing.rows import LONGEST_KEY, Refused, with_point
from leads.importing.sql.history import check_history
from leads.importing.sql.lines import Lines, trim
from leads.importing.sql.questions import Judge, Question, ask
from leads.importing.sql.tables import create_table, first_fault
from leads.models import LeadAttribute
from leads.services.values import LIMITS, PLAIN_FIELDS, TEXT_FIELDS, LeadInvalid, clean_values

FIELDS = ("email", *TEXT_FIELDS)
_LEADS = SQL("""
    SELECT import_line.id, import_line.number, {external_id} AS external_id, {values},
        {attributes} AS attributes,
        coalesce({line_fault}, past.fault, {value_fault}) AS fault
    FROM import_line {joins}
    LEFT JOIN (
        SELECT DISTINCT ON (id) id, fault FROM import_step
        WHERE fault IS NOT NULL ORDER BY id, position
    ) AS past ON past.id = import_line.id""")
_ATTRIBUTES = SQL("""(
    SELECT jsonb_object_agg(name, value) FROM (VALUES {pairs}) AS said (name, value)
    WHERE value IS NOT NULL)""")


@dataclass(frozen=True)
class _Value:
    """What a line says of one field: the value, and the problem with it, named by its column.

    NULL is no answer; an attribute is JSON, whose null is an answer that is blank.
    """

    value: Composable
    problem: Composable
    question: Question | None = None


@dataclass(frozen=True)
class _Cell:
    """A cell of every line: its text, its column in the file, a name for the question about it."""

    text: Composable
    column: str
    name: str

    @property
    def is_given(self) -> Composable:
        return SQL("{} <> ''").format(self.text)

    def judged(self, judge: Judge, kind: str = "text") -> _Value:
        """Return a field whose every text is judged."""
        question = Question(self.name, self.text, self.is_given, judge, kind)
        return self.answered(question, question.value)

    def plain(self, limit: int, judge: Judge) -> _Value:
        """Return a text that is stored as it is but for surrounding space.

        Only one that is too long is judged, as far as it takes to see that: it may be very long.
        """
        text = trim(self.text)
        asked = SQL("char_length({}) > {}").format(text, Literal(limit))
        beginning = SQL("left({}, {})").format(text, Literal(limit + 1))
        return self.answered(Question(self.name, beginning, asked, judge), text)

    def answered(self, question: Question, value: Composable) -> _Value:
        """Return ``value`` with the problem that the question found."""
        problem = SQL("{} || {}").format(Literal(f"{self.column}: "), question.problem)
        return _Value(value, problem, question)


def check_leads(
    lines: Lines, mapping: LeadMapping, declared: Mapping[str, LeadAttribute], *, now: datetime
) -> None:
    """Make the tables ``import_lead``, a row for each line, and ``import_step``.

    ``fault`` says why a line is refused. ``declared`` are the attributes by name.
    """
    check_history(lines, mapping, now=now)
    values = dict(_values(lines, mapping, declared))
    joins = ask([each.question for each in values.values() if each.question])
    create_table(
        "import_lead",
        _LEADS.format(
            external_id=lines.cell(mapping.key),
            values=SQL(", ").join(_columns(values)),
            attributes=_attributes(values),
            line_fault=first_fault(list(_line_faults(lines, mapping))),
            value_fault=_value_fault(values.values()),
            joins=SQL("").join(joins),
        ),
    )


def _line_faults(lines: Lines, mapping: LeadMapping) -> Iterator[tuple[Composable, Composable]]:
    """Yield what is wrong with a line before its values are looked at, in the order told."""
    for column in mapping.fields.values():
        yield lines.formula(column)
    if not mapping.key:
        yield lines.empty(mapping.fields["email"], "is empty, so the lead cannot be recognised")
        return
    yield lines.formula(mapping.key)
    yield lines.longer(mapping.key, LONGEST_KEY)
    yield lines.empty(mapping.key, "is empty, so the line cannot be told from others")


def _values(
    lines: Lines, mapping: LeadMapping, declared: Mapping[str, LeadAttribute]
) -> Iterator[tuple[str, _Value]]:
    """Yield each field that the mapping fills, its attributes last."""
    filled = {**mapping.constants, **mapping.fields}
    names = sorted(filled, key=lambda name: name.startswith(ATTRIBUTE_PREFIX))
    for number, name in enumerate(names):
        judge = _judge(name, mapping, declared)
        if name not in mapping.fields:
            yield name, _constant(name, filled[name], judge)
            continue
        column = filled[name]
        told = _Cell(lines.cell(column), column, f"said{number}")
        if name == "phone":
            yield name, _phone(told, lines, mapping)
        elif name in PLAIN_FIELDS:
            yield name, told.plain(LIMITS[name], judge)
        elif name.startswith(ATTRIBUTE_PREFIX):
            kind = declared[name.removeprefix(ATTRIBUTE_PREFIX)].type
            yield name, _attribute(told, kind, judge)
        else:
            yield name, told.judged(judge)


def _judge(name: str, mapping: LeadMapping, declared: Mapping[str, LeadAttribute]) -> Judge:
    """Return the rule of the field ``name``, which reads numbers as the file writes them."""
    clean = partial(_clean, name, declared)
    attribute = name.removeprefix(ATTRIBUTE_PREFIX)
    if attribute == name or declared[attribute].type != AttributeType.NUMBER:
        return clean
    return lambda text: clean(with_point(text, mapping.decimal))


def _clean(name: str, declared: Mapping[str, LeadAttribute], text: str, country: str = "") -> Any:
    """Return ``text`` as forms and services store it.

    Raises:
        Refused: when they would refuse it.
    """
    attribute = name.removeprefix(ATTRIBUTE_PREFIX)
    is_attribute = attribute != name
    given: dict[str, Any] = {"attributes": {attribute: text}} if is_attribute else {name: text}
    try:
        cleaned = clean_values(given, declared=declared, country=country)
    except LeadInvalid as error:
        raise Refused("; ".join(error.problems.values())) from error
    return cleaned["attributes"][attribute] if is_attribute else cleaned[name]


def _phone(told: _Cell, lines: Lines, mapping: LeadMapping) -> _Value:
    """Return the phone number, which is read in the country that the line names."""
    country: Composable = Literal(mapping.constants.get("country", ""))
    if "country" in mapping.fields:
        country = lines.cell(mapping.fields["country"])
    both = SQL("jsonb_build_array({}, {})::text").format(told.text, country)
    question = Question(
        told.name, both, told.is_given, lambda text: _clean("phone", {}, *json.loads(text))
    )
    return told.answered(question, question.value)


def _attribute(told: _Cell, kind: str, judge: Judge) -> _Value:
    is_text = kind == AttributeType.TEXT
    said = told.plain(TEXT_LIMIT, judge) if is_text else told.judged(judge, "jsonb")
    value = SQL("to_jsonb(nullif({}, ''))").format(said.value) if is_text else said.value
    answer = SQL("CASE WHEN {} THEN coalesce({}, 'null') END").format(told.is_given, value)
    return _Value(answer, said.problem, said.question)


def _constant(name: str, text: str, judge: Judge) -> _Value:
    """Return a field that has the same text in every line; it is judged here."""
    bare = name.removeprefix(ATTRIBUTE_PREFIX)
    try:
        value = judge(text)
    except Refused as refused:
        return _Value(SQL("NULL"), Literal(f"{bare}: {refused}"))
    if bare == name:
        return _Value(SQL("{}::text").format(Literal(value)), SQL("NULL"))
    return _Value(SQL("{}::jsonb").format(Literal(json.dumps(value))), SQL("NULL"))


def _columns(values: Mapping[str, _Value]) -> Iterable[Composable]:
    """Return the columns of Lead; texts that are not given are empty."""
    unsaid = _Value(SQL("NULL::text"), SQL("NULL"))
    for name in FIELDS:
        value = values.get(name, unsaid).value
        stored = value if name == "email" else SQL("coalesce({}, '')").format(value)
        yield SQL("{} AS {}").format(stored, Identifier(name))


def _attributes(values: Mapping[str, _Value]) -> Composable:
    """Return the custom attributes that a line names, or NULL."""
    pairs = [
        SQL("({}, {})").format(Literal(name.removeprefix(ATTRIBUTE_PREFIX)), each.value)
        for name, each in values.items()
        if name.startswith(ATTRIBUTE_PREFIX)
    ]
    return _ATTRIBUTES.format(pairs=SQL(", ").join(pairs)) if pairs else SQL("NULL::jsonb")


def _value_fault(values: Iterable[_Value]) -> Composable:
    """Return one fault of all problems with values."""
    problems = [each.problem for each in values]
    if not problems:
        return SQL("NULL")
    said = SQL("array_to_string(ARRAY[{}]::text[], '; ')").format(SQL(", ").join(problems))
    return SQL("CASE WHEN {said} <> '' THEN ARRAY[{said}] END").format(said=said)

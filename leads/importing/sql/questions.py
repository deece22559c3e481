"""Rules that the database does not know: Python judges each distinct text of a chunk once.

An address, a phone number, a country, a date of the file's format: what forms and services accept
is said in one place, in Python. The verdicts are joined to the lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.sql import SQL, Composable, Identifier, Literal

from leads.importing.mapping import Moment
from leads.importing.rows import Refused, read_moment
from leads.importing.sql.tables import fault, fetch

_DISTINCT = SQL("SELECT DISTINCT {at}, {text} FROM import_line WHERE {asked}")
_JOIN = SQL("""
    LEFT JOIN json_to_recordset({answers}) AS {name} (text text, value {type}, problem text)
        ON {name}.text = {text}""")
#: In place of a join with nothing; the planner takes it out.
_NO_JOIN = SQL("""
    CROSS JOIN (VALUES (NULL::text, NULL::{type}, NULL::text)) AS {name} (text, value, problem)""")

Judge = Callable[[str], Any]


@dataclass(frozen=True)
class Question:
    """What ``judge`` says of ``text`` in the lines where it is ``asked``.

    ``judge`` returns the value, which goes to ``type`` by way of JSON, or raises ``Refused``.
    """

    name: str
    text: Composable
    asked: Composable
    judge: Judge
    type: str = "text"

    @property
    def value(self) -> Composable:
        """Return the value in a joined query; NULL where it was not asked, or refused."""
        return Identifier(self.name, "value")

    @property
    def problem(self) -> Composable:
        """Return why the text is refused, else NULL."""
        return Identifier(self.name, "problem")

    def refusal(self, column: str) -> tuple[Composable, Composable]:
        """Return the condition that the text in ``column`` is refused, and the refusal."""
        said = SQL("{} || {}").format(Literal(f"{column}: "), self.problem)
        return SQL("{} IS NOT NULL").format(self.problem), fault(said)


def ask(questions: Sequence[Question]) -> list[Composable]:
    """Have each question answered for the lines of the chunk; return a join for each."""
    answers: list[list[dict[str, Any]]] = [[] for _ in questions]
    for at, text in _distinct(questions):
        answers[at].append(_answer(text, questions[at].judge))
    return [_join(*each) for each in zip(questions, answers, strict=True)]


def _distinct(questions: Sequence[Question]) -> Iterable[tuple[int, str]]:
    if not questions:
        return []
    asked = [
        _DISTINCT.format(at=Literal(at), text=each.text, asked=each.asked)
        for at, each in enumerate(questions)
    ]
    return fetch(SQL(" UNION ALL ").join(asked))


def _answer(text: str, judge: Judge) -> dict[str, Any]:
    try:
        return {"text": text, "value": judge(text)}
    except Refused as problem:
        return {"text": text, "problem": str(problem)}


def _join(question: Question, answers: Sequence[Mapping[str, Any]]) -> Composable:
    if not answers:
        return _NO_JOIN.format(type=SQL(question.type), name=Identifier(question.name))
    return _JOIN.format(
        answers=Literal(json.dumps(answers, ensure_ascii=False)),
        type=SQL(question.type),
        name=Identifier(question.name),
        text=question.text,
    )


def moment_question(name: str, cell: Composable, moment: Moment, now: datetime) -> Question | None:
    """Return the question which instant ``cell`` names; None where ``moment`` has no column."""
    if not moment.column:
        return None
    is_given = SQL("{} <> ''").format(cell)
    return Question(
        name,
        cell,
        is_given,
        lambda text: read_moment(text, moment, now=now).isoformat(),
        "timestamptz",
    )


def moment_value(question: Question | None, moment: Moment, now: datetime) -> Composable:
    """Return the instant: NULL where the cell is empty and nothing else is taken."""
    at_import = SQL("{}::timestamptz").format(Literal(now))
    if question is None:
        return at_import
    if not moment.otherwise_import:
        return question.value
    is_empty = SQL("{} = ''").format(question.text)
    return SQL("CASE WHEN {} THEN {} ELSE {} END").format(is_empty, at_import, question.value)

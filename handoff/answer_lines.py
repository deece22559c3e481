"""The answers of a form as they are kept: one line for each question, in the order asked. Pure.

A line keeps what its question was called, so that it can be read whatever the policy says later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handoff.enums import BantAnswer
from handoff.frameworks import QualificationPolicy
from handoff.prefill import Told

Line = dict[str, Any]
#: What a line holds beside its answer, as the ending of the field's name in the form.
PARTS = {"": "answer", "_detail": "detail", "_note": "note"}


def blank_lines(policy: QualificationPolicy, told: Iterable[Told] = ()) -> list[Line]:
    """Return a line for each question; ``told`` are those that forms have answered."""
    known = {each.question: each for each in told}
    return [
        {
            "question": question.name,
            "label": question.label,
            "answer": each.answer.value if (each := known.get(question.name)) else "NOT_ASKED",
            "detail": each.detail if each else "",
            "note": "",
            "source": each.source if each else "",
        }
        for question in policy.questions
    ]


def aligned(lines: Sequence[Line], policy: QualificationPolicy) -> list[Line]:
    """Return ``lines`` in the order of ``policy``; what it does not ask is kept if answered."""
    known = {line["question"]: line for line in lines}
    asked = [
        known.pop(line["question"], line) | {"label": line["label"]} for line in blank_lines(policy)
    ]
    return [*asked, *(line for line in known.values() if line["answer"] != BantAnswer.NOT_ASKED)]


def with_fields(lines: Sequence[Line], fields: Mapping[str, Any]) -> list[Line]:
    """Return ``lines`` with what ``fields`` says of them, under the names of the form.

    A source stays as long as the answer and its detail are those that the form had told.
    """
    return [_with(line, fields) for line in lines]


def field_values(lines: Sequence[Line]) -> dict[str, str]:
    """Return what ``lines`` hold under the names of the form."""
    return {
        f"{line['question']}{ending}": line[part]
        for line in lines
        for ending, part in PARTS.items()
    }


def field_names(policy: QualificationPolicy) -> list[str]:
    """Return the names under which the form knows the answers of ``policy``."""
    return [f"{name}{ending}" for name in policy.names for ending in PARTS]


def _with(line: Line, fields: Mapping[str, Any]) -> Line:
    given = {
        part: str(fields[name])
        for ending, part in PARTS.items()
        if (name := f"{line['question']}{ending}") in fields
    }
    changed = {**line, **given}
    is_as_told = all(changed[part] == line[part] for part in ("answer", "detail"))
    return {**changed, "source": line["source"] if is_as_told else ""}

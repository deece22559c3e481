"""What forms told before the handoff, as answers with their source. Pure.

A form answers a question by a property of its event that has one of the names in its ``told_by``.
"No" and "do not know" are answers too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handoff.enums import BantAnswer
from handoff.frameworks import Question

LONGEST_DETAIL = 200

_ANSWERS = {
    **dict.fromkeys(("no", "none", "not yet", "false"), BantAnswer.NO),
    **dict.fromkeys(("unknown", "not sure", "don't know", "do not know"), BantAnswer.UNKNOWN),
    **dict.fromkeys(("yes", "true"), BantAnswer.YES),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One question that a form answered; ``detail`` is what was written beyond yes or no."""

    question: str
    answer: BantAnswer
    detail: str
    source: str


def told_by_forms(
    forms: Iterable[tuple[Mapping[str, Any], str]], questions: Sequence[Question]
) -> list[Told]:
    """Return at most one answer per question, the newest.

    Args:
        forms: Properties of an event and the words for where it came from, newest first.
        questions: What the form asks.
    """
    found: dict[str, Told] = {}
    for properties, source in forms:
        for question in questions:
            value = _value(properties, question)
            if value and question.name not in found:
                found[question.name] = _told(question.name, value, source)
    return list(found.values())


def _value(properties: Mapping[str, Any], question: Question) -> str:
    values = (properties.get(name) for name in question.told_by)
    return next((str(value).strip() for value in values if value not in (None, "")), "")


def _told(question: str, value: str, source: str) -> Told:
    answer = _ANSWERS.get(value.lower())
    detail = value[:LONGEST_DETAIL] if answer is None else ""
    return Told(question, answer or BantAnswer.YES, detail, source)

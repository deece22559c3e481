"""What forms told before the handoff, as BANT answers with their source. Pure.

A form answers a question by a property of its event: ``budget``, ``authority``, ``need`` or
``timeline``, or one of the names people give these fields. "No" and "do not know" are answers too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from handoff.bant import QUESTIONS
from handoff.enums import BantAnswer

LONGEST_DETAIL = 200

_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "budget": ("budget", "budget_range"),
        "authority": ("authority", "decision_maker"),
        "need": ("need", "problem", "use_case"),
        "timeline": ("timeline", "timeframe", "start_date"),
    }
)
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


def told_by_forms(forms: Iterable[tuple[Mapping[str, Any], str]]) -> list[Told]:
    """Return at most one answer per question, the newest.

    Args:
        forms: Properties of an event and the words for where it came from, newest first.
    """
    found: dict[str, Told] = {}
    for properties, source in forms:
        for question in QUESTIONS:
            value = _value(properties, question)
            if value and question not in found:
                found[question] = _told(question, value, source)
    return list(found.values())


def _value(properties: Mapping[str, Any], question: str) -> str:
    values = (properties.get(name) for name in _NAMES[question])
    return next((str(value).strip() for value in values if value not in (None, "")), "")


def _told(question: str, value: str, source: str) -> Told:
    answer = _ANSWERS.get(value.lower())
    detail = value[:LONGEST_DETAIL] if answer is None else ""
    return Told(question, answer or BantAnswer.YES, detail, source)

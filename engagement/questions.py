"""What a form asks: fields of a lead in an order, and values that it sets unasked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

EMAIL = "email"
ATTRIBUTE = "attr_"


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a form.

    ``name`` is a column of Lead, or a declared attribute after ``attr_``. With ``fixed`` nobody is
    asked: every submission gets that value. The e-mail address is always required.
    """

    name: str
    label: str
    help: str = ""
    is_required: bool = False
    fixed: str = ""

    @property
    def attribute(self) -> str:
        """Return the name of the attribute; empty for a column."""
        return self.name.removeprefix(ATTRIBUTE) if self.name.startswith(ATTRIBUTE) else ""


def read_questions(document: Iterable[Mapping[str, Any]]) -> list[Question]:
    """Return the questions that ``as_document`` wrote."""
    return [_required_if_email(Question(**each)) for each in document]


def as_document(questions: Iterable[Question]) -> list[dict[str, Any]]:
    """Return the questions as JSON."""
    return [asdict(_required_if_email(each)) for each in questions]


def asked(questions: Iterable[Question]) -> list[Question]:
    """Return the questions that people answer."""
    return [each for each in questions if not each.fixed]


def fixed_values(questions: Iterable[Question]) -> dict[str, Any]:
    """Return what a form sets unasked, as ``leads.services`` takes it."""
    return lead_values({each.name: each.fixed for each in questions if each.fixed})


def lead_values(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by the names of questions as ``leads.services`` takes them."""
    columns = {name: said for name, said in answers.items() if not name.startswith(ATTRIBUTE)}
    attributes = {
        name.removeprefix(ATTRIBUTE): said
        for name, said in answers.items()
        if name.startswith(ATTRIBUTE)
    }
    return {**columns, "attributes": attributes} if attributes else columns


def moved(questions: Sequence[Question], place: int, by: int) -> list[Question]:
    """Return the questions with the one at ``place`` moved ``by`` steps; as they are at the end."""
    target = place + by
    if not (0 <= place < len(questions) and 0 <= target < len(questions)):
        return list(questions)
    order = list(questions)
    order.insert(target, order.pop(place))
    return order


def without(questions: Sequence[Question], place: int) -> list[Question]:
    """Return the questions without the one at ``place``; the address always stays."""
    return [each for at, each in enumerate(questions) if at != place or each.name == EMAIL]


def _required_if_email(question: Question) -> Question:
    return replace(question, is_required=True) if question.name == EMAIL else question

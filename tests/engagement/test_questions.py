from __future__ import annotations

import pytest

from engagement.questions import (
    Question,
    as_document,
    asked,
    fixed_values,
    lead_values,
    moved,
    read_questions,
    without,
)

EMAIL = Question("email", "E-mail", is_required=True)
NAME = Question("first_name", "First name")
PRODUCT = Question("attr_product", "Product", fixed="Pumps")
ALL = [EMAIL, NAME, PRODUCT]


def test_questions_are_read_as_they_were_written() -> None:
    assert read_questions(as_document(ALL)) == ALL


def test_the_address_is_always_required() -> None:
    [question] = read_questions(as_document([Question("email", "E-mail")]))
    assert question.is_required


def test_fixed_values_are_not_asked() -> None:
    assert asked(ALL) == [EMAIL, NAME]
    assert fixed_values(ALL) == {"attributes": {"product": "Pumps"}}


def test_answers_are_named_as_leads_name_them() -> None:
    answers = {"email": "a@b.example", "attr_need": "Fewer stops"}
    assert lead_values(answers) == {"email": "a@b.example", "attributes": {"need": "Fewer stops"}}


@pytest.mark.parametrize(
    ("place", "by", "order"),
    [(1, -1, [NAME, EMAIL, PRODUCT]), (1, 1, [EMAIL, PRODUCT, NAME]), (0, -1, ALL), (2, 1, ALL),
     (9, -1, ALL)],
)  # fmt: skip
def test_a_question_moves_within_its_form(place: int, by: int, order: list[Question]) -> None:
    assert moved(ALL, place, by) == order


def test_the_address_cannot_be_taken_out() -> None:
    assert without(ALL, 1) == [EMAIL, PRODUCT]
    assert without(ALL, 0) == ALL

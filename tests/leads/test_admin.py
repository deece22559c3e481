import json

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from crm.common.typed_json import ShallowDecoder
from leads.admin import LeadAttributeForm
from tests.factories import client_of, make_user

pytestmark = pytest.mark.django_db


def declared(**fields: str) -> LeadAttributeForm:
    return LeadAttributeForm(
        {"name": "size", "label": "Size", "type": "TEXT", "choices": "[]", **fields}
    )


def test_an_attribute_is_declared() -> None:
    form = declared(type="CHOICE", choices='["Small", "Large", "Small"]')

    assert form.is_valid()
    assert form.cleaned_data["choices"] == ["Small", "Large"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "a__b"}, "Use small letters and digits, joined by single underscores."),
        ({"name": "Größe"}, "Enter a valid"),
        ({"name": "size-2"}, "Use small letters and digits, joined by single underscores."),
        ({"type": "CHOICE"}, "Name at least one choice."),
        ({"type": "CHOICE", "choices": '{"a": 1}'}, "Write a list of texts"),
        ({"type": "CHOICE", "choices": "[1]"}, "Write a list of texts"),
        ({"type": "SHOE"}, "Select a valid choice."),
    ],
)
def test_an_attribute_that_cannot_be_used_is_refused(fields: dict[str, str], sentence: str) -> None:
    errors = [str(text) for texts in declared(**fields).errors.values() for text in texts]

    assert errors[0].startswith(sentence)


@pytest.mark.parametrize("levels", [33, 900, 100_000])
def test_json_of_hundreds_of_levels_is_refused_at_its_field(levels: int) -> None:
    admin = client_of(make_user(Role.ADMIN))

    answer = admin.post(
        reverse("admin:leads_leadattribute_add"), {"choices": "[" * levels + "]" * levels}
    )

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["choices"] == ["Enter a valid JSON."]


def test_brackets_in_a_text_are_no_levels() -> None:
    said = '["' + "[" * 40 + '\\"", {"a": [1]}]'

    assert json.loads(said, cls=ShallowDecoder) == ["[" * 40 + '"', {"a": [1]}]

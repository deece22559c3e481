import pytest

from leads.admin import LeadAttributeForm

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

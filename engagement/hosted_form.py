"""A form as strangers fill it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import urlize
from django.utils.safestring import mark_safe

from crm.accounts.forms import PlainForm
from engagement.models.forms import FormFace
from engagement.questions import ATTRIBUTE, Question, asked, lead_values, read_questions
from leads.forms import attribute_field, column_field
from leads.models import LeadAttribute
from leads.normalise import can_be_dialled
from leads.services import LeadInvalid
from leads.services.values import clean_values

CONSENT = "consent"
#: A field that people neither see nor hear; whoever fills it in reads no page.
TRAP = "fax"
#: How browsers fill in fields by themselves (WCAG 1.3.5).
_AUTOCOMPLETE = {
    "email": "email", "first_name": "given-name", "last_name": "family-name", "phone": "tel",
    "title": "organization-title", "company_name": "organization", "website": "url",
    "country": "country", "region": "address-level1", "city": "address-level2",
}  # fmt: skip


class HostedForm(PlainForm):
    """The questions of a form; ``answers`` are cleaned as leads keep them."""

    def __init__(
        self, face: FormFace, data: Mapping[str, Any] | None = None, *, auto_id: str = "id_%s"
    ) -> None:
        """Make a field for each question; one about an attribute that is gone is left out."""
        super().__init__(data, auto_id=auto_id)
        questions = asked(read_questions(face.questions))
        names = [each.attribute for each in questions if each.attribute]
        declared = LeadAttribute.objects.in_bulk(names, field_name="name") if names else {}
        for question in questions:
            if not question.attribute or question.attribute in declared:
                self.fields[question.name] = _field(question, declared)
        self.names = list(self.fields)
        self.answers: dict[str, Any] = {}
        if face.consent_text:
            self.fields[CONSENT] = _consent_field(face)

    def clean(self) -> dict[str, Any]:
        """Spell the answers as leads keep them; what no lead can take is said beside its field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        said = {name: cleaned[name] for name in self.names if name in cleaned}
        if said.get("phone") and not can_be_dialled(said["phone"]):
            self.add_error("phone", "Write a number to dial, such as +49 30 23125418.")
        try:
            self.answers = clean_values(lead_values(said))
        except LeadInvalid as refusal:
            self._add_problems(refusal.problems)
        self._focus_first_error()
        return cleaned

    def _add_problems(self, problems: Mapping[str, str]) -> None:
        for name, sentence in problems.items():
            field = name if name in self.fields else ATTRIBUTE + name
            subject = "This " if sentence.startswith(("is ", "holds ")) else ""
            self.add_error(field, ValidationError(f"{subject}{sentence}."))

    def _focus_first_error(self) -> None:
        wrong = next((name for name in self.fields if name in self.errors), None)
        if wrong:
            self.fields[wrong].widget.attrs["autofocus"] = True


def _field(question: Question, declared: Mapping[str, LeadAttribute]) -> forms.Field:
    if question.attribute:
        field = attribute_field(declared[question.attribute], {})
    else:
        field = column_field(question.name)
    field.label, field.help_text = question.label, question.help
    field.required = question.is_required
    field.widget.is_required = question.is_required
    if question.name in _AUTOCOMPLETE:
        field.widget.attrs["autocomplete"] = _AUTOCOMPLETE[question.name]
    if isinstance(field, forms.ChoiceField):
        offered: Any = field.choices
        field.choices = [("", "Please choose"), *list(offered)[1:]]
    return field


def _consent_field(face: FormFace) -> forms.BooleanField:
    # urlize escapes what is no link
    label = mark_safe(urlize(face.consent_text, nofollow=True, autoescape=True))  # noqa: S308
    return forms.BooleanField(label=label, required=face.needs_consent)

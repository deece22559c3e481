"""The BANT form: four equal questions, a verdict, and what belongs to each verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from crm.common.instants import validate_day, validate_instant
from handoff.bant import DECISION_FIELDS, QUESTIONS, Proposal, propose
from handoff.enums import BantAnswer, DisqualifyReason, RecycleReason, Verdict
from handoff.forms import CrispyForm, MomentInput
from handoff.models import BantAssessment, Handoff
from handoff.services.qualification import ANSWER_FIELDS

#: Question -> what to ask, what its detail is called, an example of it.
PROMPTS: Mapping[str, tuple[str, str, str]] = {
    "budget": ("Is money set aside for this?", "Amount band", "40,000-80,000"),
    "authority": ("Who signs, and have we met them?", "Decision maker", "Role and name"),
    "need": ("What problem costs them today?", "Problem", "In their words"),
    "timeline": ("When must it run?", "Date or quarter", "Q3 2026"),
}
_CHOOSE = ("", "Choose")


@dataclass(frozen=True, slots=True)
class Question:
    """One of the four blocks; ``source`` says where the answer came from."""

    name: str
    prompt: str
    answer: BoundField
    detail: BoundField
    note: BoundField
    source: str


class BantForm(CrispyForm):
    """Every part may stay empty in a draft; what a verdict needs, the service says."""

    verdict = forms.ChoiceField(
        choices=Verdict,
        required=False,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    next_step = forms.CharField(max_length=200, required=False, label="Next step")
    next_step_at = forms.DateTimeField(
        required=False, label="Date", widget=MomentInput, validators=[validate_instant]
    )
    recycle_reason = forms.ChoiceField(
        choices=[_CHOOSE, *RecycleReason.choices], required=False, label="Reason"
    )
    wake_date = forms.DateField(
        required=False,
        label="Wake up on",
        validators=[validate_day],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    disqualify_reason = forms.ChoiceField(
        choices=[_CHOOSE, *DisqualifyReason.choices], required=False, label="Reason"
    )
    override_reason = forms.CharField(max_length=300, required=False, label="Why not as proposed")

    def __init__(self, data: Any = None, *, handoff: Handoff, verdict: str = "") -> None:
        """Add the four questions, and fill in what is saved; ``verdict`` is one asked for."""
        self.handoff = handoff
        self.bant = BantAssessment.objects.filter(handoff=handoff).first()
        saved = {name: getattr(self.bant, name) for name in self._names()} if self.bant else {}
        super().__init__(data, initial=saved | ({"verdict": verdict} if verdict else {}))
        for question in QUESTIONS:
            _, detail, example = PROMPTS[question]
            self.fields[question] = forms.ChoiceField(
                choices=BantAnswer, required=False, widget=forms.RadioSelect
            )
            self.fields[f"{question}_detail"] = forms.CharField(
                max_length=200,
                required=False,
                label=detail,
                widget=forms.TextInput(attrs={"placeholder": example}),
            )
            self.fields[f"{question}_note"] = forms.CharField(
                max_length=2000,
                required=False,
                label="Note",
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    @staticmethod
    def _names() -> tuple[str, ...]:
        return (*ANSWER_FIELDS, *DECISION_FIELDS)

    @property
    def questions(self) -> Iterator[Question]:
        """Go through the four blocks in the order of the name."""
        for name in QUESTIONS:
            yield Question(
                name=name,
                prompt=PROMPTS[name][0],
                answer=self[name],
                detail=self[f"{name}_detail"],
                note=self[f"{name}_note"],
                source=self._source(name),
            )

    @property
    def answers(self) -> dict[str, BantAnswer]:
        """Return the four answers as they stand in the form."""
        values = {name: self[name].value() for name in QUESTIONS}
        known = BantAnswer.values
        return {
            name: BantAnswer(value) if value in known else BantAnswer.NOT_ASKED
            for name, value in values.items()
        }

    @property
    def marks(self) -> list[BantAnswer]:
        """Return the four answers in the order of the name."""
        return list(self.answers.values())

    @property
    def proposal(self) -> Proposal:
        """Return what the policy proposes for the answers as they stand."""
        return propose(self.answers, yes_needed=self.handoff.bant_yes_needed)

    def clean(self) -> dict[str, Any]:
        """Read a question without an answer as not asked."""
        cleaned = super().clean() or {}
        return cleaned | {name: cleaned.get(name) or BantAnswer.NOT_ASKED for name in QUESTIONS}

    @property
    def readable(self) -> dict[str, Any]:
        """Return what could be read, for a draft; whatever could not keeps its saved value."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if name in self.data}

    def refuse(self, problems: Mapping[str, str]) -> None:
        """Show what the service found missing, beside the fields."""
        for field, problem in problems.items():
            self.add_error(field, problem)

    def focus_first_error(self) -> None:
        """Let the page open at the first field that was refused."""
        first = next((name for name in self.fields if name in self.errors), None)
        if first:
            self.fields[first].widget.attrs["autofocus"] = True

    def _source(self, name: str) -> str:
        bant = self.bant
        if bant is None or getattr(bant, name) == BantAnswer.NOT_ASKED:
            return ""
        told = bant.sources.get(name, "")
        return f"From {told[0].lower()}{told[1:]}" if told else "From the call"

"""The form after the call: equal questions, a verdict, and what belongs to each verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from crm.common.instants import validate_day, validate_instant
from handoff.answer_lines import Line, aligned, field_values
from handoff.bant import DECISION_FIELDS, Proposal, propose
from handoff.enums import BantAnswer, DisqualifyReason, RecycleReason, Verdict, WakeOn
from handoff.forms import CrispyForm, MomentInput
from handoff.frameworks import Question
from handoff.models import BantAssessment, Handoff
from handoff.services.qualification import cycles_of

_CHOOSE = ("", "Choose")


@dataclass(frozen=True, slots=True)
class Block:
    """One question with its fields; ``source`` says where the answer came from."""

    label: str
    prompt: str
    is_must: bool
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
    wake_on = forms.ChoiceField(choices=WakeOn, required=False, label="It wakes up")
    disqualify_reason = forms.ChoiceField(
        choices=[_CHOOSE, *DisqualifyReason.choices], required=False, label="Reason"
    )
    override_reason = forms.CharField(max_length=300, required=False, label="Why not as proposed")

    def __init__(self, data: Any = None, *, handoff: Handoff, verdict: str = "") -> None:
        """Add the questions, and fill in what is saved; ``verdict`` is one asked for."""
        self.handoff = handoff
        self.policy = handoff.policy
        self.bant = BantAssessment.objects.filter(handoff=handoff).first()
        self._lines = aligned(self.bant.lines if self.bant else [], self.policy)
        decided = {name: getattr(self.bant, name) for name in DECISION_FIELDS} if self.bant else {}
        saved = {**field_values(self._lines), **decided}
        super().__init__(data, initial=saved | ({"verdict": verdict} if verdict else {}))
        for question in self.policy.questions:
            self.fields.update(_fields_of(question))

    @property
    def questions(self) -> Iterator[Block]:
        """Go through the blocks in the order of the framework."""
        for question, line in zip(self.policy.questions, self._lines, strict=False):
            yield Block(
                label=question.label,
                prompt=question.prompt,
                is_must=question.is_must,
                answer=self[question.name],
                detail=self[f"{question.name}_detail"],
                note=self[f"{question.name}_note"],
                source=_told(line),
            )

    @property
    def answers(self) -> dict[str, BantAnswer]:
        """Return the answers as they stand in the form."""
        values = {name: self[name].value() for name in self.policy.names}
        known = BantAnswer.values
        return {
            name: BantAnswer(value) if value in known else BantAnswer.NOT_ASKED
            for name, value in values.items()
        }

    @property
    def marks(self) -> list[BantAnswer]:
        """Return the answers in the order of the framework."""
        return list(self.answers.values())

    @property
    def labels(self) -> list[str]:
        """Return what the questions are called, in that order."""
        return [question.label for question in self.policy.questions]

    @property
    def proposal(self) -> Proposal:
        """Return what the policy proposes for the answers as they stand."""
        return propose(self.answers, policy=self.policy, cycles=cycles_of(self.handoff))

    def clean(self) -> dict[str, Any]:
        """Read a question without an answer as not asked."""
        cleaned = super().clean() or {}
        return cleaned | {
            name: cleaned.get(name) or BantAnswer.NOT_ASKED for name in self.policy.names
        }

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


def _fields_of(question: Question) -> dict[str, forms.Field]:
    """Return answer, detail and note of a question, by their names."""
    example = {"placeholder": question.example}
    return {
        question.name: forms.ChoiceField(
            choices=BantAnswer, required=False, widget=forms.RadioSelect
        ),
        f"{question.name}_detail": forms.CharField(
            max_length=200,
            required=False,
            label=question.detail,
            widget=forms.TextInput(attrs=example),
        ),
        f"{question.name}_note": forms.CharField(
            max_length=2000,
            required=False,
            label="Note",
            widget=forms.Textarea(attrs={"rows": 2}),
        ),
    }


def _told(line: Line) -> str:
    """Say where an answer came from; nothing of one that is missing."""
    if line["answer"] == BantAnswer.NOT_ASKED:
        return ""
    told: str = line["source"]
    return f"From {told[0].lower()}{told[1:]}" if told else "From the call"

"""The form of the qualification policy: the words of its questions, and what makes an SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.forms import BoundField

from handoff.enums import RecycleReason
from handoff.forms import CrispyForm
from handoff.frameworks import (
    MOST_CYCLES,
    PolicyInvalid,
    QualificationPolicy,
    Question,
    check_policy,
    with_questions,
)

_NO_REASON = ("", "None in particular")


@dataclass(frozen=True, slots=True)
class QuestionFields:
    """One question with the fields that change it."""

    label: str
    words: list[BoundField]
    rules: list[BoundField]


class PolicyForm(CrispyForm):
    """What is asked after the call; it starts from a policy and gives another one."""

    yes_needed = forms.IntegerField(min_value=1, label="Answers that must be yes for SQL")
    unknown_allowed = forms.BooleanField(
        required=False, label="The others may be unknown or not asked"
    )
    most_cycles = forms.IntegerField(
        min_value=0,
        max_value=MOST_CYCLES,
        label="A lead comes to Sales at most, times",
        help_text="After that only a manager recycles it. 0: no limit",
    )

    def __init__(self, data: Any = None, *, policy: QualificationPolicy) -> None:
        """Add the fields of each question of ``policy``, filled in with what it says."""
        self._policy = policy
        initial = {
            "yes_needed": policy.yes_needed,
            "unknown_allowed": policy.unknown_allowed,
            "most_cycles": policy.most_cycles,
        }
        super().__init__(data, initial=initial)
        for question in policy.questions:
            self.fields.update(_fields_of(question))

    @property
    def rules(self) -> list[BoundField]:
        """Return the fields that are about all questions."""
        return [self[name] for name in ("yes_needed", "unknown_allowed", "most_cycles")]

    @property
    def questions(self) -> Iterator[QuestionFields]:
        """Go through the questions, each with its fields."""
        for question in self._policy.questions:
            yield QuestionFields(
                label=question.label,
                words=[self[f"{question.name}-{part}"] for part in _WORDS],
                rules=[self[f"{question.name}-{part}"] for part in _RULES],
            )

    def clean(self) -> dict[str, Any]:
        """Refuse a policy that no answers could meet."""
        given = super().clean() or {}
        if not self.errors:
            try:
                check_policy(self.policy())
            except PolicyInvalid as problem:
                self.add_error(None, str(problem))
        return given

    def policy(self) -> QualificationPolicy:
        """Return what the form says."""
        given = self.cleaned_data
        changed = {
            question.name: {
                **{part: given[f"{question.name}-{part}"] for part in (*_WORDS, *_RULES)},
                "told_by": _names(given[f"{question.name}-told_by"]),
            }
            for question in self._policy.questions
        }
        rules = {name: given[name] for name in ("yes_needed", "unknown_allowed", "most_cycles")}
        return replace(with_questions(self._policy, changed), **rules)


_WORDS = ("label", "prompt", "detail", "example")
_RULES = ("is_must", "ends", "recycle_reason", "told_by")


def _fields_of(question: Question) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {
        "label": forms.CharField(max_length=30, label="Name"),
        "prompt": forms.CharField(max_length=120, label="What to ask"),
        "detail": forms.CharField(max_length=60, label="What the detail is called"),
        "example": forms.CharField(max_length=60, required=False, label="An example of it"),
        "is_must": forms.BooleanField(required=False, label="Must be yes for SQL"),
        "ends": forms.BooleanField(required=False, label="No proposes to disqualify"),
        "recycle_reason": forms.ChoiceField(
            choices=[_NO_REASON, *RecycleReason.choices],
            required=False,
            label="No suggests to recycle for",
        ),
        "told_by": forms.CharField(
            max_length=200, required=False, label="Form fields that answer it, with commas"
        ),
    }
    for part, field in fields.items():
        value = getattr(question, part)
        field.initial = ", ".join(value) if isinstance(value, tuple) else value
    return {f"{question.name}-{part}": field for part, field in fields.items()}


def _names(text: str) -> tuple[str, ...]:
    words = (word.strip().lower().replace(" ", "_") for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))

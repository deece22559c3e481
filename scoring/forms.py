"""What people ask of a score."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from crm.common.instants import validate_instant
from leads.models import Lead
from scoring.cases import targets
from scoring.enums import ReviewVerdict
from scoring.knowledge import columns
from scoring.services.releasing import LARGEST_WAVE


class AsOfForm(forms.Form):
    """The instant as of which a score is explained, in the reader's time zone."""

    as_of = forms.DateTimeField(
        label="As of",
        validators=[validate_instant],
        error_messages={"invalid": "Give a date and a time, such as 2026-05-12 10:30"},
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "form-control"}),
    )

    def moment(self, now: datetime) -> datetime:
        """Return what was asked for, ``now`` when that is nothing usable or still to come."""
        asked: datetime | None = self.cleaned_data.get("as_of") if self.is_valid() else None
        return min(asked or now, now)


class ReviewForm(forms.Form):
    """What a marketer says of a disqualification; who brings a lead back says why."""

    verdict = forms.ChoiceField(choices=ReviewVerdict.choices)
    reason = forms.CharField(max_length=200, required=False)


class WaveForm(forms.Form):
    """Which leads go to sales now: those that are ticked, or the next so many."""

    count = forms.IntegerField(
        label="Release the next", min_value=1, max_value=LARGEST_WAVE, required=False, initial=50
    )
    leads = forms.ModelMultipleChoiceField(queryset=Lead.objects.all(), required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse an order of nothing."""
        given = super().clean() or {}
        is_chosen = "chosen" in self.data
        if not self.errors and not (given.get("leads") if is_chosen else given.get("count")):
            raise forms.ValidationError(
                "Tick the leads to release." if is_chosen else "Say how many leads to release."
            )
        return given

    @property
    def order(self) -> dict[str, Any]:
        """Return what the service takes; the button says which of the two is meant."""
        if "chosen" in self.data:
            return {"lead_ids": [lead.pk for lead in self.cleaned_data["leads"]]}
        return {"count": self.cleaned_data["count"]}


class RateForm(forms.Form):
    """How many leads go to sales on each working day."""

    per_day = forms.IntegerField(
        label="Leads a working day", min_value=1, max_value=LARGEST_WAVE, initial=20
    )


class TrainingForm(forms.Form):
    """What a predictive score is to learn; ``included`` are columns to use though they may leak."""

    target = forms.ChoiceField(
        label="Predict",
        choices=lambda: [(target.name, target.label) for target in targets()],
        error_messages={"invalid_choice": "Choose one of the targets: %(value)s is none."},
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    included = forms.MultipleChoiceField(
        required=False,
        choices=lambda: [(column.name, column.label) for column in columns()],
        error_messages={"invalid_choice": "There is no column %(value)s."},
    )

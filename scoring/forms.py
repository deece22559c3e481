"""What people ask of a score."""

from __future__ import annotations

from datetime import datetime

from django import forms

from crm.common.instants import validate_instant
from scoring.enums import ReviewVerdict


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

"""Forms of the queue: reject, log a touch, snooze, reassign; values go to the services as is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms

from crm.accounts.models import User
from handoff.enums import ExcuseReason, RejectionReason, Side, TouchChannel, TouchOutcome
from handoff.evidence import OUTCOMES
from handoff.models import Clock

MOMENT_FORMAT = "%Y-%m-%dT%H:%M"
_ONE_MINUTE = timedelta(minutes=1)


class MomentInput(forms.DateTimeInput):
    """The browser's own picker of a day and a time, to the minute."""

    input_type = "datetime-local"

    def __init__(self, **options: Any) -> None:
        """Write values as the picker reads them."""
        super().__init__(format=MOMENT_FORMAT, **options)


class CrispyForm(forms.Form):
    """A form whose page owns the ``<form>`` element and its token."""

    required_css_class = "is-required"

    @property
    def helper(self) -> FormHelper:
        """Return the layout: the fields alone."""
        helper = FormHelper(self)
        helper.form_tag = False
        helper.disable_csrf = True
        return helper


class RejectForm(CrispyForm):
    """Why sales rejects."""

    reason = forms.ChoiceField(
        choices=RejectionReason, widget=forms.RadioSelect, label="Why do you reject this lead?"
    )
    note = forms.CharField(
        max_length=500,
        required=False,
        label="What should marketing know?",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_reason(self) -> RejectionReason:
        """Return the code as the service takes it."""
        return RejectionReason(self.cleaned_data["reason"])


class TouchForm(CrispyForm):
    """What sales did; without a time it has just happened."""

    act = forms.ChoiceField(
        label="What happened",
        choices=[
            (f"{channel}.{outcome}", f"{channel.label}: {outcome.label.lower()}")
            for channel, outcomes in OUTCOMES.items()
            for outcome in outcomes
        ],
    )
    occurred_at = forms.DateTimeField(
        required=False,
        label="When, if not just now",
        widget=MomentInput,
        help_text="More than 15 minutes ago is kept; it counts once a manager approves.",
    )
    note = forms.CharField(
        max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def touch(self, *, opened_at: datetime, now: datetime) -> dict[str, Any]:
        """Return the arguments of ``log_touch``.

        The picker knows minutes only: the minute in which the handoff was opened is not before it.
        """
        channel, outcome = self.cleaned_data["act"].split(".")
        occurred_at = self.cleaned_data["occurred_at"] or now
        if occurred_at < opened_at < occurred_at + _ONE_MINUTE:
            occurred_at = opened_at
        return {
            "channel": TouchChannel(channel),
            "outcome": TouchOutcome(outcome),
            "occurred_at": occurred_at,
            "note": self.cleaned_data["note"],
        }


class SnoozeForm(CrispyForm):
    """Until when a row waits, and what for."""

    until = forms.DateTimeField(label="Back in the queue at", widget=MomentInput)
    reason = forms.CharField(
        max_length=200, label="What the buyer is waited for", help_text="Clocks run on."
    )


class ReassignForm(CrispyForm):
    """Who takes over, and why."""

    to = forms.ModelChoiceField(queryset=User.objects.none(), label="Give it to")
    reason = forms.CharField(max_length=200, label="Why")

    def __init__(self, *args: Any, **options: Any) -> None:
        """Offer the people who can hold a handoff today."""
        super().__init__(*args, **options)
        field = self.fields["to"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = User.objects.reps().order_by("full_name", "id")


class ExcuseForm(CrispyForm):
    """Why a deadline was missed, and what stretch of its time that explains."""

    reason = forms.ChoiceField(
        choices=ExcuseReason, widget=forms.RadioSelect, label="What kept you from it?"
    )
    started_at = forms.DateTimeField(label="From", widget=MomentInput)
    ended_at = forms.DateTimeField(label="To", widget=MomentInput)
    note = forms.CharField(
        max_length=500,
        required=False,
        label="What should your manager know?",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, clock: Clock, now: datetime, *args: Any, **options: Any) -> None:
        """Propose the whole time of ``clock`` up to ``now``."""
        self._first, self._last = clock.started_at, clock.ended_at or now
        options.setdefault("initial", {"started_at": self._first, "ended_at": self._last})
        super().__init__(*args, **options)

    def clean_reason(self) -> ExcuseReason:
        """Return the code as the service takes it."""
        return ExcuseReason(self.cleaned_data["reason"])

    def clean_started_at(self) -> datetime:
        """Return the start; the picker knows minutes only, so the clock's first one is its own."""
        started_at: datetime = self.cleaned_data["started_at"]
        is_first = started_at < self._first < started_at + _ONE_MINUTE
        return self._first if is_first else started_at


class DecideForm(forms.Form):
    """A manager's yes or no."""

    grant = forms.ChoiceField(choices=[("yes", "Yes"), ("no", "No")])


class SignForm(forms.Form):
    """For which side somebody signs the agreement."""

    side = forms.TypedChoiceField(choices=Side, coerce=Side)
    revision = forms.IntegerField(min_value=1)

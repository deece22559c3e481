"""How a deal ended, as the person who closed it tells it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from crm.accounts.forms import PlainForm
from crm.common.instants import validate_day
from leads.enums import DealOutcome
from leads.models import Lead

_NOON = time(12)


class DealForm(PlainForm):
    """Won with its value, or lost with the reason."""

    outcome = forms.ChoiceField(label="The deal is", choices=DealOutcome, widget=forms.RadioSelect)
    value = forms.DecimalField(
        min_value=0, max_digits=14, decimal_places=2, required=False, label="Value"
    )
    currency = forms.RegexField(
        "^[A-Za-z]{3}$",
        label="Currency",
        error_messages={"invalid": "Write three letters, such as EUR."},
        widget=forms.TextInput(attrs={"maxlength": 3, "autocapitalize": "characters"}),
    )
    closed_on = forms.DateField(
        label="Closed on",
        validators=[validate_day],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    product = forms.CharField(max_length=150, required=False, label="Product")
    reason = forms.CharField(max_length=200, required=False, label="Why it was lost")

    def __init__(self, data: Any, *, lead: Lead, now: datetime, currency: str) -> None:
        """Propose today, and the ``currency`` that was used last."""
        self._since, self._now = timezone.localtime(lead.stage_since), timezone.localtime(now)
        super().__init__(data, initial={"closed_on": self._now.date(), "currency": currency})

    def clean_closed_on(self) -> date:
        """Refuse a day that is still to come, or before the lead became an SQL."""
        day: date = self.cleaned_data["closed_on"]
        if day > self._now.date():
            raise forms.ValidationError("This day is still to come.")
        if day < self._since.date():
            since = f"{self._since.day} {self._since:%B %Y}"
            raise forms.ValidationError(f"The lead became an SQL on {since}, not before.")
        return day

    def clean(self) -> dict[str, Any]:
        """Ask for the value of what was won, and for the reason of what was lost."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        outcome = given.get("outcome")
        if outcome == DealOutcome.WON and given.get("value") is None and "value" not in self.errors:
            self.add_error("value", "What is it worth? 0 if nothing.")
        if outcome == DealOutcome.LOST and not given.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "Say why, for those who look for patterns.")
        return given

    def deal(self) -> dict[str, Any]:
        """Return what was said as ``close_deal`` takes it."""
        said = self.cleaned_data
        is_lost = said["outcome"] == DealOutcome.LOST
        return {
            "outcome": DealOutcome(said["outcome"]),
            "value": said["value"],
            "currency": said["currency"].upper(),
            "product": said["product"],
            "reason": said["reason"] if is_lost else "",
            "closed_at": self._moment(said["closed_on"]),
        }

    def _moment(self, day: date) -> datetime:
        """Return a moment of ``day`` within the stage: people name days only."""
        noon = timezone.make_aware(datetime.combine(day, _NOON))
        return min(max(noon, self._since), self._now)

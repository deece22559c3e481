"""Forms about leads; the services get what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.accounts.forms import PlainForm
from crm.common.instants import plan_day_problem, validate_instant
from crm.common.ui.widgets import LongSelect
from leads.attributes import AttributeValue
from leads.countries import COUNTRIES
from leads.enums import AttributeType, ConsentChannel, ConsentPurpose, LifecycleStage
from leads.lifecycle import moves_by_hand, overrides
from leads.models import Lead, LeadAttribute
from leads.normalise import can_be_dialled

_LIMITS = {each.name: each.max_length for each in Lead._meta.fields}
_PREFIX = "attribute_"
_NO_ANSWER = ("", "No answer")
NAMING = ("first_name", "last_name", "email", "phone")
_SECTIONS = (
    ("Person", ("first_name", "last_name", "email", "phone", "title")),
    ("Company and place", ("company_name", "website", "country", "region", "city")),
    ("Source", ("source", "medium", "campaign")),
)


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together, under their title."""

    title: str
    fields: list[BoundField]


def _text(column: str, label: str, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=_LIMITS[column], required=False, **options)


class LeadForm(PlainForm):
    """What is known of a lead. Only what a person changed is written: see ``changes``.

    Each field carries the value it had when the page was made, so that a page left open overwrites
    nothing that somebody else changed meanwhile.
    """

    first_name = _text("first_name", "First name")
    last_name = _text("last_name", "Last name")
    email = _text("email", "E-mail", widget=forms.EmailInput)
    phone = _text("phone", "Phone", widget=forms.TextInput(attrs={"type": "tel"}))
    title = _text("title", "Role")
    company_name = _text("company_name", "Company")
    website = _text("website", "Website")
    country = forms.ChoiceField(
        choices=[_NO_ANSWER, *sorted(COUNTRIES.items(), key=lambda item: item[1])],
        widget=LongSelect,
        required=False,
    )
    region = _text("region", "Region")
    city = _text("city", "City")
    source = _text("source", "Source", help_text="Such as paid_search or webinar.")
    medium = _text("medium", "Medium")
    campaign = _text("campaign", "Campaign")

    def __init__(
        self, *args: Any, declared: Iterable[LeadAttribute] = (), lead: Lead | None = None
    ) -> None:
        """Add a field for each declared attribute, and fill in what is known of ``lead``."""
        super().__init__(*args)
        known = lead.attributes if lead else {}
        for attribute in declared:
            self.fields[_PREFIX + attribute.name] = attribute_field(attribute, known)
        for name, field in self.fields.items():
            field.show_hidden_initial = True
            if lead and name in self.base_fields:
                field.initial = getattr(lead, name) or ""

    @property
    def sections(self) -> list[Section]:
        """Return the fields as the page shows them."""
        custom = [name for name in self.fields if name.startswith(_PREFIX)]
        sections = [*_SECTIONS, ("More", custom)] if custom else _SECTIONS
        return [Section(title, [self[name] for name in names]) for title, names in sections]

    @property
    def hidden_initials(self) -> list[SafeString]:
        """Return the values the fields had when the page was made, as hidden inputs."""
        return [field.as_hidden(only_initial=True) for field in self]

    def clean_phone(self) -> str:
        """Check that a number typed here can be dialled; one that an import brought may stay."""
        number: str = self.cleaned_data["phone"]
        if number and "phone" in self.changed_data and not can_be_dialled(number):
            raise ValidationError("Write a number to dial, such as +49 30 23125418.")
        return number

    def clean(self) -> dict[str, Any]:
        """Check that there is something to call the lead by."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and self.is_anonymous():
            self.add_error(None, "Say at least a name, an e-mail address or a phone number.")
        return cleaned

    def is_anonymous(self) -> bool:
        """Say whether nothing would be left to call the lead by."""
        return not any(self.cleaned_data.get(name) for name in NAMING)

    def changes(self) -> dict[str, Any]:
        """Return what was changed on the page, as ``create_lead`` and ``update_lead`` take it."""
        return _by_column({name: self.cleaned_data[name] for name in self.changed_data})

    def seen(self) -> dict[str, Any]:
        """Return what the changed fields held when the page was made, as ``update_lead`` takes it.

        Fields that came without it are left out.
        """
        shown = {name: self.data.get(self[name].html_initial_name) for name in self.changed_data}
        return _by_column({name: value for name, value in shown.items() if value is not None})

    def add_conflicts(self, values: Mapping[str, Any], who: Mapping[str, str]) -> None:
        """Show beside each field what somebody else made of it; sent again it is overwritten.

        Args:
            values: As ``ChangedMeanwhile`` holds them.
            who: By field, who changed it and when.
        """
        custom = {_PREFIX + name: value for name, value in values.get("attributes", {}).items()}
        columns = {name: value for name, value in values.items() if name != "attributes"}
        sent: Any = self.data
        data = sent.copy()
        for name, value in {**columns, **custom}.items():
            said = _in_field(value)
            data[self[name].html_initial_name] = said
            by = who.get(name if name in columns else "attributes", "Somebody")
            words = f"“{said}”"
            self.add_error(
                name,
                f"{by} changed this to {words if said else 'nothing'} while you wrote."
                " Yours stands in the field: save again to keep it.",
            )
        self.data = data

    def add_problems(self, problems: Mapping[str, str]) -> None:
        """Put each sentence of ``LeadInvalid`` beside its field."""
        for name, sentence in problems.items():
            field = name if name in self.fields else _PREFIX + name
            subject = "This " if sentence.startswith(("is ", "holds ")) else ""
            self.add_error(field if field in self.fields else None, f"{subject}{sentence}.")

    def add_duplicate(self, other: Lead | None, url: str) -> None:
        """Say whose the address is already; ``other`` is None when the person may not see them."""
        sentence: SafeString | str = "Another lead has this address."
        if other:
            sentence = format_html('<a href="{}">{}</a> has this address.', url, other)
        self.add_error("email", ValidationError(sentence))


def _in_field(value: AttributeValue) -> str:
    """Return a stored value as its field shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _by_column(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by column, those of attributes under ``attributes``."""
    columns = {name: value for name, value in fields.items() if not name.startswith(_PREFIX)}
    custom = {
        name.removeprefix(_PREFIX): value
        for name, value in fields.items()
        if name.startswith(_PREFIX)
    }
    return {**columns, "attributes": custom} if custom else columns


def column_field(column: str) -> forms.Field:
    """Return a field of its own that takes what a column of Lead holds."""
    return deepcopy(LeadForm.base_fields[column])


def attribute_field(attribute: LeadAttribute, known: Mapping[str, AttributeValue]) -> forms.Field:
    """Return the field that takes what ``attribute`` was declared to hold."""
    value = known.get(attribute.name)
    options: dict[str, Any] = {"label": attribute.label, "required": False, "initial": value}
    match AttributeType(attribute.type):
        case AttributeType.NUMBER:
            return forms.DecimalField(**options)
        case AttributeType.BOOLEAN:
            options["initial"] = "" if value is None else "yes" if value else "no"
            return forms.ChoiceField(choices=[_NO_ANSWER, ("yes", "Yes"), ("no", "No")], **options)
        case AttributeType.DATE:
            return forms.DateField(widget=_date_input(), **options)
        case AttributeType.CHOICE:
            choices = [_NO_ANSWER, *((choice, choice) for choice in attribute.choices)]
            return forms.ChoiceField(choices=choices, **options)
        case AttributeType.TEXT:
            return forms.CharField(max_length=1000, **options)


def _date_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class NoteForm(PlainForm):
    """What a person writes about a lead."""

    text = forms.CharField(
        max_length=5000,
        widget=forms.Textarea(
            attrs={"rows": 2, "aria-label": "Note", "placeholder": "Write a note about this lead"}
        ),
    )

    @property
    def helper(self) -> FormHelper:
        """Return how crispy draws the field: its name is in it."""
        helper = super().helper
        helper.form_show_labels = False
        return helper


class StageForm(PlainForm):
    """A move through the lifecycle by hand, with its reason."""

    to_stage = forms.ChoiceField(
        label="Move to",
        error_messages={"invalid_choice": "The lead cannot move there from where it is now."},
    )
    wake_on = forms.DateField(
        label="Wake up on",
        required=False,
        widget=_date_input(),
        help_text="When a recycled lead is looked at again.",
    )
    wakes_on_act = forms.BooleanField(
        label="Or as soon as they do something, if that is earlier", required=False
    )
    reason = forms.CharField(max_length=200)

    def __init__(self, *args: Any, stage: LifecycleStage, may_override: bool, today: date) -> None:
        """Offer the moves from ``stage``; ``today`` is the person's date."""
        super().__init__(*args)
        self._today = today
        self._overrides = overrides(stage) if may_override else []
        moves: list[Any] = [(move, _MOVES[move]) for move in moves_by_hand(stage)]
        if self._overrides:
            against = [(move, f"{move.label}, marked as override") for move in self._overrides]
            moves.append(("Against the rules", against))
        field = self.fields["to_stage"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- narrows a declared field
        field.choices = moves

    def clean(self) -> dict[str, Any]:
        """Check that a recycled lead has a day on which it wakes."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("to_stage") == LifecycleStage.RECYCLED and "wake_on" not in self.errors:
            wake_on = cleaned.get("wake_on")
            if wake_on is None:
                self.add_error("wake_on", "A recycled lead needs a day on which it wakes up.")
            elif problem := plan_day_problem(wake_on, today=self._today):
                self.add_error("wake_on", problem)
        return cleaned

    def move(self) -> dict[str, Any]:
        """Return the move as ``change_stage`` takes it."""
        to_stage = LifecycleStage(self.cleaned_data["to_stage"])
        wakes = to_stage is LifecycleStage.RECYCLED
        return {
            "to_stage": to_stage,
            "reason": self.cleaned_data["reason"],
            "override": to_stage in self._overrides,
            "wake_at": _start_of(self.cleaned_data["wake_on"]) if wakes else None,
            "wakes_on_act": wakes and self.cleaned_data["wakes_on_act"],
        }


class WithdrawalForm(PlainForm):
    """A consent that somebody took back, as a colleague was told."""

    purpose = forms.ChoiceField(label="Takes back the consent to", choices=ConsentPurpose.choices)
    channel = forms.ChoiceField(label="How they said so", choices=ConsentChannel.choices)
    withdrawn_at = forms.DateTimeField(
        label="When",
        required=False,
        validators=[validate_instant],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Leave it empty for now.",
    )
    text = forms.CharField(
        label="What they said",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def withdrawal(self, *, now: datetime) -> dict[str, Any]:
        """Return what was said as ``withdraw_consent`` takes it."""
        said = self.cleaned_data
        return {
            "purpose": ConsentPurpose(said["purpose"]),
            "channel": ConsentChannel(said["channel"]),
            "withdrawn_at": said["withdrawn_at"] or now,
            "text": said["text"],
        }


_MOVES = {
    LifecycleStage.LEAD: "Reinstate as lead",
    LifecycleStage.MQL: "Hand off to sales",
    LifecycleStage.RECYCLED: "Recycle to nurture",
    LifecycleStage.DISQUALIFIED: "Disqualify",
}


def _start_of(day: date) -> datetime:
    """Return midnight of ``day`` in the person's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))

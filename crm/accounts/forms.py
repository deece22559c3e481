"""Forms about people; the services get their cleaned data."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from crispy_forms.helper import FormHelper
from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.validators import URLValidator
from django.http import HttpRequest, QueryDict

from crm.accounts.enums import MAIL_OF_KIND, Density, MailWhen, NewsKind, Role, Theme
from crm.accounts.models import SalesTeam, User


@cache
def time_zone_choices() -> list[tuple[str, str]]:
    """Return the zones a person can live in: UTC first, then places by name."""
    places = sorted(
        name
        for name in available_timezones()
        if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/"))
    )
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]


class PlainForm(forms.Form):
    """A form whose tag, token and button belong to the template."""

    @property
    def helper(self) -> FormHelper:
        """Return how crispy draws the fields."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        return helper


class WorkForm(PlainForm):
    """What a person works on and belongs to."""

    full_name = forms.CharField(label="Name", max_length=150)
    roles = forms.TypedMultipleChoiceField(
        coerce=Role,
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="One person can hold several.",
    )
    sales_team = forms.ModelChoiceField(
        SalesTeam.objects.order_by("name", "id"),
        required=False,
        empty_label="None",
        help_text="Reps see the pool of their team.",
    )


class InvitationForm(WorkForm):
    """Whom to invite as what."""

    email = forms.EmailField(label="E-mail", max_length=254)
    field_order = ("email", "full_name", "roles", "sales_team")


class AcceptanceForm(PlainForm):
    """What the invited person adds."""

    full_name = forms.CharField(label="Your name", max_length=150)
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        max_length=128,
        help_text=" ".join(password_validators_help_texts()[1:2]),
    )


class FirstAdminForm(AcceptanceForm):
    """Who administers a new installation."""

    email = forms.EmailField(label="E-mail", max_length=254)
    field_order = ("full_name", "email", "password")


class PreferencesForm(PlainForm):
    """How Baton looks and speaks to one person."""

    full_name = forms.CharField(label="Name", max_length=150)
    time_zone = forms.ChoiceField(
        choices=time_zone_choices, help_text="Times are shown in this zone."
    )
    theme = forms.ChoiceField(choices=Theme.choices)
    density = forms.ChoiceField(
        choices=Density.choices,
        required=False,
        label="Rows",
        help_text="In lists, queues and reports, on a desk.",
    )
    single_key_shortcuts = forms.BooleanField(
        required=False,
        label="Single-key shortcuts",
        help_text="Keys such as j, k and l act without Ctrl. Switch them off if you dictate.",
    )
    wants_mail = forms.BooleanField(
        required=False,
        label="Mail me what appears under the bell",
        help_text="Without it, notifications stay inside Baton.",
    )
    mail_when = forms.ChoiceField(
        choices=MailWhen, required=False, label="Mail comes", help_text="The daily one at 08:00."
    )
    only_at_work = forms.BooleanField(
        required=False,
        label="Only in my working hours",
        help_text="What comes at night or on a day off waits until your calendar opens.",
    )
    webhook_url = forms.CharField(
        required=False,
        max_length=500,
        validators=[URLValidator(schemes=["https", "http"])],
        label="Call this address too",
        help_text="Each notification as JSON to https://..., signed as Standard Webhooks say.",
    )

    def clean_density(self) -> str:
        """Return the choice; none is the usual."""
        return self.cleaned_data["density"] or Density.COMFORTABLE.value

    def clean_mail_when(self) -> str:
        """Return the choice; none is at once."""
        return self.cleaned_data["mail_when"] or MailWhen.AT_ONCE.value

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask of each kind of notification how it is mailed, after when mail comes at all."""
        super().__init__(*args, **kwargs)
        choices = [("", "As above"), *MAIL_OF_KIND]
        for kind in NewsKind:
            self.fields[f"mail_of_{kind}"] = forms.ChoiceField(
                choices=choices, required=False, label=kind.label
            )
        asked = [*self.base_fields]
        place = asked.index("mail_when") + 1
        asked[place:place] = [f"mail_of_{kind}" for kind in NewsKind]
        self.order_fields(asked)

    def clean(self) -> dict[str, Any]:
        """Return the choices by kind as one value; those that say nothing of their own are out."""
        cleaned = self.cleaned_data
        chosen = {kind.value: cleaned.pop(f"mail_of_{kind}", "") for kind in NewsKind}
        return cleaned | {"mail_of_kinds": {kind: each for kind, each in chosen.items() if each}}

    @classmethod
    def fields_of(cls, user: User) -> dict[str, Any]:
        """Return the present values of ``user`` as the form's initial data."""
        of_kinds = {f"mail_of_{kind}": user.mail_of_kinds.get(kind, "") for kind in NewsKind}
        return {name: getattr(user, name) for name in cls.base_fields} | of_kinds


class TeamForm(PlainForm):
    """A sales team."""

    name = forms.CharField(max_length=100)
    time_zone = forms.ChoiceField(
        choices=time_zone_choices, help_text="Where new members of the team live."
    )


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, be it nothing; None for a form that was only opened.

    ``request.POST or None`` would take a form sent empty for one just opened.
    """
    return request.POST if request.method == "POST" else None


def form_status(form: forms.Form) -> int:
    """Return the status of the page that shows ``form``: 422 when something in it was refused."""
    return 422 if form.is_bound else 200

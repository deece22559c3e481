"""The form of a source."""

from __future__ import annotations

from typing import Any

from django import forms

from crm.accounts.forms import PlainForm
from engagement.enums import SourceKind
from engagement.origins import NotAnOrigin, parse_origin

_FASTEST = 100_000


class OriginsField(forms.CharField):
    """Origins, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "placeholder": "https://www.example.com"})

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list, not text
        """Return the origins as browsers spell them, each once.

        Raises:
            ValidationError: names each line that is none.
        """
        origins, problems = [], []
        for line in filter(None, map(str.strip, (value or "").splitlines())):
            try:
                origins.append(parse_origin(line))
            except NotAnOrigin as problem:
                problems.append(str(problem))
        if problems:
            raise forms.ValidationError(problems)
        return list(dict.fromkeys(origins))


class SourceForm(PlainForm):
    """What can be changed of a source at any time."""

    label = forms.CharField(label="Name", max_length=100, help_text="What people call it.")
    allowed_origins = OriginsField(
        label="Allowed sites",
        required=False,
        help_text="One a line. Browsers may send from these only; from anywhere when empty.",
    )
    asks_consent = forms.BooleanField(
        label="Wait for consent",
        required=False,
        help_text="The tracker keeps and sends nothing before the site says the visitor agreed.",
    )
    rate_limit = forms.IntegerField(
        label="Messages a second, in all", min_value=1, max_value=_FASTEST, initial=1000
    )
    address_rate_limit = forms.IntegerField(
        label="Messages a second, of one visitor's network",
        min_value=1,
        max_value=_FASTEST,
        initial=50,
        help_text="Does not apply to servers: all they send comes from one place.",
    )


class NewSourceForm(SourceForm):
    """A source with what stays for good."""

    name = forms.SlugField(
        label="Short name",
        max_length=50,
        help_text="Its messages go under it for good: letters, digits and hyphens.",
    )
    kind = forms.TypedChoiceField(
        coerce=SourceKind,
        choices=SourceKind.choices,
        widget=forms.RadioSelect,
        initial=SourceKind.WEBSITE,
        help_text="Everybody can read the key of a website, so what it says of people is checked. "
        "A server keeps its key secret and is believed.",
    )
    field_order = ("label", "name", "kind")

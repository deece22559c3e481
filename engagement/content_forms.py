"""Forms about assets, offers and webinars; the services get their cleaned data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.text import slugify

from crm.accounts.forms import PlainForm, time_zone_choices
from engagement.attendance_reading import FIELDS
from engagement.enums import AssetKind, FunnelStage, OfferKind
from engagement.file_types import KNOWN
from engagement.messages import EARLIEST
from engagement.models import Asset, Offer, Webinar
from engagement.patterns import PatternInvalid, read_pattern
from engagement.services.files import LARGEST

MOST_PATTERNS = 50
_LOCAL = "%Y-%m-%dT%H:%M"
_SLUG_HELP = "How messages and rules name it, for good. Left empty it is made from the name."


class PatternsField(forms.CharField):
    """Addresses, one a line."""

    def __init__(self, **options: Any) -> None:
        """Show a few lines."""
        super().__init__(widget=forms.Textarea(attrs={"rows": 4}), max_length=20_000, **options)

    def clean(self, value: Any) -> list[str]:
        """Return the addresses as they are kept."""
        lines = [line for line in str(super().clean(value)).splitlines() if line.strip()]
        if len(lines) > MOST_PATTERNS:
            raise forms.ValidationError(f"{MOST_PATTERNS} addresses are the most.")
        problems, patterns = [], []
        for line in lines:
            try:
                patterns.append(str(read_pattern(line)))
            except PatternInvalid as error:
                problems.append(str(error))
        if problems:
            raise forms.ValidationError(problems)
        return patterns


class ClockField(forms.DateTimeField):
    """An hour as a clock shows it, kept as one of UTC, where no hour is skipped or comes twice."""

    def to_python(self, value: Any) -> datetime | None:
        """Read the hour without regard to the zone of whoever types it."""
        with timezone.override(UTC):
            return super().to_python(value)


class NamedForm(PlainForm):
    """Something with a name and, until it is there, a short name."""

    name = forms.CharField(max_length=200)
    slug = forms.SlugField(label="Short name", max_length=100, required=False, help_text=_SLUG_HELP)

    def __init__(self, *args: Any, is_new: bool, **options: Any) -> None:
        """Leave out the short name of what is there already."""
        super().__init__(*args, **options)
        if not is_new:
            del self.fields["slug"]

    def clean(self) -> dict[str, Any]:
        """Make the short name from the name where none was given."""
        said: dict[str, Any] = self.cleaned_data
        if "slug" in self.fields and not said.get("slug") and said.get("name"):
            said["slug"] = slugify(said["name"])[:100]
            if not said["slug"]:
                self.add_error("slug", "Give a short name of letters, digits and dashes.")
        return said


class AssetForm(NamedForm):
    """A piece of content or a page."""

    kind = forms.TypedChoiceField(choices=AssetKind, coerce=AssetKind)
    funnel_stage = forms.TypedChoiceField(choices=FunnelStage, coerce=FunnelStage)
    persona = forms.CharField(
        max_length=60,
        required=False,
        help_text="Whom it is written for.",
        widget=forms.TextInput(attrs={"list": "personas"}),
    )
    patterns = PatternsField(
        label="Addresses",
        required=False,
        help_text="One a line: /pricing, /blog/* or docs.example.com/guide/*. "
        "* stands for any text; the most specific address wins.",
    )

    @staticmethod
    def initial_of(asset: Asset) -> dict[str, Any]:
        """Return what an asset is at present."""
        kept = ("name", "kind", "funnel_stage", "persona")
        lines = sorted(map(str, asset.patterns.all()))
        return {name: getattr(asset, name) for name in kept} | {"patterns": "\n".join(lines)}


class FileForm(PlainForm):
    """The file behind an asset."""

    file = forms.FileField(help_text=f"{KNOWN}, up to {LARGEST >> 20} MB.")


class OfferForm(NamedForm):
    """Something to accept."""

    name = forms.CharField(max_length=120)
    kind = forms.TypedChoiceField(choices=OfferKind, coerce=OfferKind)
    text = forms.CharField(
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What its page says.",
    )
    asset = forms.ModelChoiceField(
        Asset.objects.none(), required=False, empty_label="None", help_text="What it is about."
    )
    is_fast_track = forms.BooleanField(
        required=False,
        initial=True,
        label="Fast track",
        help_text="Accepting it makes an MQL at once, in the shortest response tier.",
    )
    is_active = forms.BooleanField(required=False, initial=True, label="Can be accepted")
    expires_at = forms.DateTimeField(
        required=False,
        label="Ends",
        input_formats=[_LOCAL],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
        help_text="In your time zone; empty for no end.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        """Offer the assets that are not archived."""
        super().__init__(*args, **options)
        self.fields["asset"].queryset = assets_to_choose()  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(offer: Offer) -> dict[str, Any]:
        """Return what an offer is at present."""
        kept = ("name", "kind", "text", "asset", "is_fast_track", "is_active", "expires_at")
        return {name: getattr(offer, name) for name in kept}


class WebinarForm(NamedForm):
    """A webinar at its time."""

    starts_at = ClockField(
        label="Starts",
        input_formats=[_LOCAL],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
    )
    time_zone = forms.ChoiceField(choices=time_zone_choices, help_text="Of the time above.")
    asset = forms.ModelChoiceField(
        Asset.objects.none(),
        required=False,
        empty_label="A new asset of this name",
        help_text="What it is in the library and in scoring rules.",
    )

    def __init__(self, *args: Any, is_new: bool, **options: Any) -> None:
        """Offer the webinars among the assets; one that is there keeps its own."""
        super().__init__(*args, is_new=is_new, **options)
        if is_new:
            webinars = assets_to_choose().filter(kind=AssetKind.WEBINAR)
            self.fields["asset"].queryset = webinars  # type: ignore[attr-defined]
        else:
            del self.fields["asset"]

    def clean(self) -> dict[str, Any]:
        """Take the hour as one of the zone that was chosen."""
        said = super().clean()
        starts_at, zone = said.get("starts_at"), said.get("time_zone")
        if isinstance(starts_at, datetime) and zone:
            try:
                said["starts_at"] = _moment(starts_at, zone)
            except forms.ValidationError as error:
                self.add_error("starts_at", error)
        return said

    @staticmethod
    def initial_of(webinar: Webinar) -> dict[str, Any]:
        """Return what a webinar is at present, its hour told in its own zone."""
        local = timezone.make_naive(webinar.starts_at, ZoneInfo(webinar.time_zone))
        return {
            "name": webinar.name,
            "time_zone": webinar.time_zone,
            "starts_at": local.strftime(_LOCAL),
        }


def _moment(hour: datetime, zone: str) -> datetime:
    """Return when clocks in ``zone`` show the hour that ``hour`` shows, if an act can be then."""
    with timezone.override(zone):
        moment = from_current_timezone(timezone.make_naive(hour, UTC))
    if moment < EARLIEST:
        raise forms.ValidationError(f"Give a time from the year {EARLIEST.year} on.")
    return moment


class AttendanceForm(PlainForm):
    """A list of who registered, came or did not."""

    file = forms.FileField(
        label="List", help_text="CSV or XLSX: one line a person, with e-mail address and status."
    )
    captures_unknown = forms.BooleanField(
        required=False,
        label="Make leads of people we do not know",
        help_text="Otherwise their lines are left out, and say so.",
    )
    email = forms.CharField(label="Column of the e-mail", max_length=200, required=False)
    status = forms.CharField(
        label="Column of the status",
        max_length=200,
        required=False,
        help_text="Registered, attended or no-show; or yes and no.",
    )
    name = forms.CharField(label="Column of the name", max_length=200, required=False)
    joined_at = forms.CharField(label="Column of the time joined", max_length=200, required=False)
    minutes = forms.CharField(label="Column of the minutes", max_length=200, required=False)

    @property
    def columns(self) -> dict[str, str]:
        """Return the columns that somebody named, by field."""
        return {field: self.cleaned_data[field] for field in FIELDS}


def assets_to_choose() -> Any:
    """Return the assets that are offered, by name."""
    return Asset.objects.filter(is_archived=False).order_by("name", "id")


def personas_in_use() -> Sequence[str]:
    """Return for whom assets are written, to choose from."""
    named = Asset.objects.exclude(persona="").order_by("persona")
    return list(named.values_list("persona", flat=True).distinct())

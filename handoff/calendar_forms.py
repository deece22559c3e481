"""Forms for working time: calendars in the words that people write them in, and absence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.db.models import Q

from crm.accounts.forms import time_zone_choices
from crm.accounts.models import SalesTeam, User
from crm.common.instants import validate_instant
from handoff.business_hours import CalendarInvalid
from handoff.business_hours.calendars import WEEKDAYS
from handoff.forms import CrispyForm, MomentInput
from handoff.models import RepProfile, WorkCalendar
from handoff.public_holidays import country_choices

_WINDOW = re.compile(r"\s*(\d\d:\d\d)\s*[-\N{EN DASH}]\s*(\d\d:\d\d)\s*", re.ASCII)
_DAYS = dict(
    zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True)
)  # fmt: skip
_LONGEST_LIST = 40_000
_CLOSURE = "2026-05-18T13:00 to 2026-05-18T17:00"
CLOSED = "closed"


class LinesField(forms.CharField):
    """One entry a line."""

    def __init__(self, **options: Any) -> None:
        """Show some lines and take many."""
        widget = forms.Textarea(attrs={"rows": 4, "class": "is-code"})
        super().__init__(required=False, max_length=_LONGEST_LIST, widget=widget, **options)

    def clean(self, value: Any) -> list[str]:
        """Return the lines that hold something."""
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]


class CalendarForm(CrispyForm):
    """Hours of the week, holidays, days that differ. What it says is checked by the service."""

    name = forms.CharField(max_length=100)
    is_default = forms.BooleanField(
        required=False, label="Measures everybody without a calendar of their own"
    )
    team = forms.ModelChoiceField(
        SalesTeam.objects.order_by("name", "id"), required=False, empty_label="No team"
    )
    rep = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="Nobody", label="One person only"
    )
    timezone = forms.ChoiceField(label="Time zone", choices=time_zone_choices)
    country = forms.ChoiceField(
        required=False, label="Public holidays of", choices=lambda: [("", "No country"),
                                                                     *country_choices()]
    )  # fmt: skip
    subdivision = forms.CharField(
        required=False,
        max_length=10,
        label="State or region",
        help_text="Its code, such as BY for Bavaria; empty for the whole country.",
    )
    holidays = LinesField(label="More days off", help_text="One a line: 2026-12-24")
    exceptions = LinesField(
        label="Days with other hours",
        help_text="One a line: 2026-12-31 09:00-12:00, or 2026-12-31 closed.",
    )
    closures = LinesField(
        label="Closed for some time",
        help_text=f"One a line: {_CLOSURE}",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        """Add the seven days and offer the reps."""
        super().__init__(*args, **options)
        reps = self.fields["rep"]
        if isinstance(reps, forms.ModelChoiceField):
            measured = self.initial.get("rep")  # stays, whatever became of them
            offered = Q(pk__in=User.objects.reps()) | Q(pk=measured.pk if measured else None)
            reps.queryset = User.objects.filter(offered).order_by("full_name", "id")
        for day, label in _DAYS.items():
            self.fields[day] = forms.CharField(required=False, max_length=300, label=label)
        self.fields["mon"].help_text = "09:00-12:30, 13:15-18:00; empty is closed, 24:00 is allowed"
        self.order_fields(
            ["name", "is_default", "team", "rep", "timezone", *_DAYS, "country", "subdivision"]
        )

    def clean(self) -> dict[str, Any]:
        """Read the windows and dates, each fault beside its field."""
        given = super().clean() or {}
        definition: dict[str, Any] = {"timezone": given.get("timezone")}
        for name, read in (
            ("weekly", self._weekly),
            ("holidays", lambda: given.get("holidays", [])),
            ("exceptions", self._exceptions),
            ("closures", self._closures),
        ):
            definition[name] = read()
        given["definition"] = definition
        return given

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``define_calendar``, except ``now``."""
        names = ("name", "is_default", "team", "rep", "country", "subdivision", "definition")
        return {name: self.cleaned_data[name] for name in names}

    def refuse(self, problem: CalendarInvalid) -> None:
        """Show what the service refused beside the field that it is about."""
        part = problem.path.removeprefix("calendar.").removeprefix("weekly.")
        name = re.split(r"[.\[]", part)[0]
        words = f"{problem.problem[:1].upper()}{problem.problem[1:]}."
        self.add_error(name if name in self.fields else None, words)

    def _weekly(self) -> dict[str, list[list[str]]]:
        weekly = {day: self._windows(day, self.cleaned_data.get(day, "")) for day in _DAYS}
        return {day: windows for day, windows in weekly.items() if windows}

    def _exceptions(self) -> dict[str, list[list[str]]]:
        found: dict[str, list[list[str]]] = {}
        for line in self.cleaned_data.get("exceptions", []):
            day, _, hours = line.partition(" ")
            if day in found:
                self.add_error("exceptions", f"{day} is there twice: write its hours in one line.")
            is_closed = hours.strip().lower() == CLOSED
            found[day] = [] if is_closed else self._windows("exceptions", hours)
            if not is_closed and not found[day]:
                self.add_error("exceptions", f"{line!r} needs hours, or the word {CLOSED}.")
        return found

    def _closures(self) -> list[list[str]]:
        closures = []
        for line in self.cleaned_data.get("closures", []):
            begins, _, ends = map(str.strip, line.partition(" to "))
            if not ends:
                self.add_error("closures", f"{line!r} needs an end: {_CLOSURE}")
            closures.append([begins, ends])
        return closures

    def _windows(self, field: str, text: str) -> list[list[str]]:
        windows = []
        for part in filter(str.strip, text.split(",")):
            found = _WINDOW.fullmatch(part)
            if found is None:
                self.add_error(field, f"{part.strip()!r} is not a window such as 09:00-12:30.")
            else:
                windows.append(list(found.groups()))
        return windows


def initial_of(calendar: WorkCalendar) -> dict[str, Any]:
    """Return what the form says of a stored calendar."""
    stored = calendar.definition
    week = {day: _hours(windows) for day, windows in stored.get("weekly", {}).items()}
    return {
        "name": calendar.name,
        "is_default": calendar.is_default,
        "team": calendar.team,
        "rep": calendar.rep,
        "timezone": stored["timezone"],
        "country": calendar.country,
        "subdivision": calendar.subdivision,
        "holidays": "\n".join(stored.get("holidays", [])),
        "exceptions": "\n".join(_exception_lines(stored.get("exceptions", {}))),
        "closures": "\n".join(" to ".join(span) for span in stored.get("closures", [])),
        **week,
    }


def _exception_lines(exceptions: Mapping[str, Any]) -> Iterator[str]:
    for day, windows in exceptions.items():
        yield f"{day} {_hours(windows) or CLOSED}"


def _hours(windows: Any) -> str:
    return ", ".join("-".join(window) for window in windows)


class RepForm(CrispyForm):
    """How much work a rep gets, and when none."""

    weight = forms.IntegerField(
        min_value=1, max_value=100, help_text="Twice the weight is twice the leads."
    )
    capacity = forms.IntegerField(
        min_value=0, max_value=10_000, label="Cap", help_text="Open handoffs; at the cap no more."
    )
    absent_from = forms.DateTimeField(
        required=False, widget=MomentInput, label="Absent from", validators=[validate_instant]
    )
    absent_until = forms.DateTimeField(
        required=False,
        widget=MomentInput,
        label="until",
        help_text="Empty: until it is cleared.",
        validators=[validate_instant],
    )

    @classmethod
    def initial_of(cls, profile: RepProfile) -> dict[str, Any]:
        """Return what the form says of a rep."""
        return {name: getattr(profile, name) for name in cls.base_fields}

    def clean(self) -> dict[str, Any]:
        """Refuse an absence that ends before it begins."""
        given = super().clean() or {}
        begins, ends = given.get("absent_from"), given.get("absent_until")
        if ends and not begins:
            self.add_error("absent_from", "Say when the absence begins.")
        if begins and ends and ends <= begins:
            self.add_error("absent_until", "The absence ends before it begins.")
        return given

"""Setting up what handoffs need beside its pages: calendars as JSON, reps, owners of sources.

What is typed is checked by the same functions as everywhere; deadlines that run are left alone.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import DateTimeField, JSONField, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from crm.common.instants import validate_instant
from crm.common.typed_json import ShallowDecoder
from handoff.business_hours import to_json
from handoff.models import RepProfile, SourceOwner, WorkCalendar
from handoff.services import CalendarInvalid, check_measured, define_calendar, read_calendar


class WorkCalendarForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    """A calendar as JSON; the message of a fault names its place. Its name is given once."""

    class Meta:
        model = WorkCalendar
        fields = ("name", "team", "definition", "is_default")

    def clean_definition(self) -> dict[str, Any]:
        """Return the calendar in the one spelling in which it is kept."""
        try:
            return to_json(read_calendar(self.cleaned_data["definition"], now=timezone.now()))
        except CalendarInvalid as problem:
            raise forms.ValidationError(str(problem)) from problem

    def clean_name(self) -> str:
        """Return the name of a new calendar, provided that no other has it."""
        name: str = self.cleaned_data["name"]
        if WorkCalendar.objects.current().filter(name=name).exists():
            raise forms.ValidationError("There is a calendar of this name: change that one.")
        return name

    def clean(self) -> dict[str, Any]:
        """Refuse what would leave a team with two calendars, or the company without its default."""
        given = super().clean() or {}
        with suppress(KeyError):  # what is missing is said beside its field
            name = self.instance.name or given["name"]
            try:
                check_measured(name=name, team=given["team"], is_default=given["is_default"])
            except CalendarInvalid as problem:
                raise forms.ValidationError(str(problem)) from problem
        return given


@admin.register(WorkCalendar)
class WorkCalendarAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Business calendars as they are now; changing one writes its next version."""

    form = WorkCalendarForm
    formfield_overrides: ClassVar = {JSONField: {"decoder": ShallowDecoder}}
    list_display = ("name", "team", "is_default")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkCalendar]:
        """Show no versions that are history."""
        return super().get_queryset(request).filter(superseded_at__isnull=True)

    def get_readonly_fields(
        self, request: HttpRequest, obj: WorkCalendar | None = None
    ) -> list[str] | tuple[str, ...]:
        """Keep the name, by which the versions belong together."""
        return ("name",) if obj else super().get_readonly_fields(request, obj)

    def has_delete_permission(self, *_: object) -> bool:
        """Delete none: deadlines are explained by them."""
        return False

    def save_model(self, _request: HttpRequest, obj: WorkCalendar, *_: object) -> None:
        """Let the service write, so that what was handed over keeps its hours."""
        written = define_calendar(
            name=obj.name,
            definition=obj.definition,
            now=timezone.now(),
            team=obj.team,
            rep=obj.rep,
            is_default=obj.is_default,
            country=obj.country,
            subdivision=obj.subdivision,
        )
        obj.pk = written.pk


@admin.register(RepProfile)
class RepProfileAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Weight, cap and absence of each rep; the turn is kept by routing."""

    list_display = ("user", "weight", "capacity", "absent_from", "absent_until")
    readonly_fields = ("turn",)
    formfield_overrides: ClassVar = {DateTimeField: {"validators": [validate_instant]}}
    ordering = ("user__full_name", "user_id")


@admin.register(SourceOwner)
class SourceOwnerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Which marketer hears of rejected leads of which source."""

    list_display = ("source", "owner")
    ordering = ("source",)

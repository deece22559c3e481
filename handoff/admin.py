"""Setting up what handoffs need, until it has pages of its own: calendars, rules, reps.

What is typed is checked by the same functions as everywhere; deadlines that run are left alone.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone

from crm.common.criteria import CriteriaInvalid, parse
from handoff.business_hours import to_json
from handoff.models import RepProfile, RoutingRule, WorkCalendar
from handoff.services import CalendarInvalid, read_calendar


class WorkCalendarForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    """A calendar as JSON; the message of a fault names its place."""

    class Meta:
        model = WorkCalendar
        fields = ("name", "team", "definition", "is_default")

    def clean_definition(self) -> dict[str, Any]:
        """Return the calendar in the one spelling in which it is kept."""
        try:
            return to_json(read_calendar(self.cleaned_data["definition"], now=timezone.now()))
        except CalendarInvalid as problem:
            raise forms.ValidationError(str(problem)) from problem


class RoutingRuleForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    """A rule with its criteria as JSON."""

    class Meta:
        model = RoutingRule
        fields = ("position", "name", "criteria", "team")

    def clean_criteria(self) -> Any:
        """Return the tree, once it can be read."""
        tree = self.cleaned_data["criteria"] or {}
        try:
            parse(tree)
        except CriteriaInvalid as problem:
            raise forms.ValidationError(str(problem)) from problem
        return tree


@admin.register(WorkCalendar)
class WorkCalendarAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Business calendars."""

    form = WorkCalendarForm
    list_display = ("name", "team", "is_default")


@admin.register(RoutingRule)
class RoutingRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Which team gets whom, in order."""

    form = RoutingRuleForm
    list_display = ("position", "name", "team")
    ordering = ("position",)


@admin.register(RepProfile)
class RepProfileAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Weight, cap and absence of each rep; the turn is kept by routing."""

    list_display = ("user", "weight", "capacity", "absent_from", "absent_until")
    readonly_fields = ("turn",)
    ordering = ("user__full_name", "user_id")

"""Declaring custom attributes, until they have a page of their own."""

from __future__ import annotations

import re

from django import forms
from django.contrib import admin

from leads.enums import AttributeType
from leads.models import LeadAttribute

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class LeadAttributeForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    """An attribute; what leads hold under it is not converted when its type changes."""

    class Meta:
        model = LeadAttribute
        fields = ("name", "label", "type", "choices")

    def clean_name(self) -> str:
        """Return a name that can stand in filters: words joined by one underscore each."""
        name: str = self.cleaned_data["name"]
        if not _NAME.fullmatch(name):
            raise forms.ValidationError(
                "Use small letters and digits, joined by single underscores."
            )
        return name

    def clean_choices(self) -> list[str]:
        """Return the choices of a choice, which needs some, as distinct texts."""
        choices = self.cleaned_data["choices"] or []
        if not isinstance(choices, list) or not all(isinstance(each, str) for each in choices):
            raise forms.ValidationError('Write a list of texts, such as ["Small", "Large"].')
        if self.cleaned_data.get("type") == AttributeType.CHOICE and not choices:
            raise forms.ValidationError("Name at least one choice.")
        return list(dict.fromkeys(choices))


@admin.register(LeadAttribute)
class LeadAttributeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """The declared attributes by label."""

    form = LeadAttributeForm
    list_display = ("label", "name", "type")
    ordering = ("label", "id")

"""Declaring custom attributes, until they have a page of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import JSONField, QuerySet
from django.http import HttpRequest

from crm.common.criteria import users_of
from crm.common.typed_json import ShallowDecoder
from leads.enums import AttributeType
from leads.fields import ATTRIBUTE_PREFIX
from leads.models import LeadAttribute

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class LeadAttributeForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
    """An attribute; what leads hold under it is not converted when its type changes.

    While rules in force ask for it, it keeps its name, its type and the choices they name.
    """

    class Meta:
        model = LeadAttribute
        fields = ("name", "label", "type", "choices", "is_by_sales")

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

    def clean(self) -> dict[str, Any]:
        """Refuse a change that would leave a rule without what it asks for."""
        cleaned: dict[str, Any] = super().clean() or {}
        before = self.instance
        if before.pk and "name" in cleaned and "type" in cleaned:
            if (cleaned["name"], cleaned["type"]) != (before.name, before.type):
                users = users_of(f"{ATTRIBUTE_PREFIX}{before.name}")
            else:
                gone = set(before.choices) - set(cleaned.get("choices", before.choices))
                users = users_of(f"{ATTRIBUTE_PREFIX}{before.name}", gone)
            if users:
                raise forms.ValidationError(f"Change first what asks for it: {'; '.join(users)}.")
        return cleaned


@admin.register(LeadAttribute)
class LeadAttributeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """The declared attributes by label."""

    form = LeadAttributeForm
    formfield_overrides: ClassVar = {JSONField: {"decoder": ShallowDecoder}}
    list_display = ("label", "name", "type", "is_by_sales")
    ordering = ("label", "id")

    def get_deleted_objects(
        self, objs: Sequence[LeadAttribute] | QuerySet[LeadAttribute], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Protect attributes that rules in force ask for, and name those rules."""
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        for each in objs:
            protected += users_of(f"{ATTRIBUTE_PREFIX}{each.name}")
        return deleted, counts, missing, protected

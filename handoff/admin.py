"""Setting up what handoffs need beside their pages: who owns which source."""

from __future__ import annotations

from django.contrib import admin

from handoff.models import SourceOwner


@admin.register(SourceOwner)
class SourceOwnerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Which marketer hears of rejected leads of which source."""

    list_display = ("source", "owner")
    ordering = ("source",)

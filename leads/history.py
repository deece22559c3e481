"""The history of what is known of a lead: when, who, from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import Lag

from crm.common.ui.words import ago
from leads.edits import changed_words
from leads.models import LeadAttribute, LeadFact

#: Changes that the page lists. Our choice: a lead has a dozen.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One fact took another value; ``who`` is empty where no person wrote it."""

    at: datetime
    who: str
    label: str
    was: str
    value: str


def history_of(lead_id: int) -> list[Change]:
    """Return what changed since the capture, newest first; two queries."""
    declared = {each.name: (each.label, each.type) for each in LeadAttribute.objects.all()}
    before = Window(Lag("value"), partition_by="field", order_by=["recorded_at", "id"])
    facts = (
        LeadFact.objects.filter(lead=lead_id)
        .annotate(was=before, captured_at=F("lead__created_at"))
        .select_related("actor")
        .order_by("-recorded_at", "-id")[:_MOST]
    )
    return [
        Change(fact.recorded_at, _who(fact), *words)
        for fact in facts
        if fact.recorded_at > fact.captured_at
        for words in changed_words(fact.field, fact.was, fact.value, declared)
    ]


def last_changes(*, lead_id: int, now: datetime) -> dict[str, str]:
    """Return by field who wrote it last and how long ago: ``Mira Feldkamp, 2 min ago,``."""
    facts = (
        LeadFact.objects.filter(lead=lead_id)
        .select_related("actor")
        .order_by("field", "-recorded_at", "-id")
        .distinct("field")
    )
    return {fact.field: f"{_who(fact)}, {ago(fact.recorded_at, now)}," for fact in facts}


def _who(fact: LeadFact) -> str:
    return str(fact.actor) if fact.actor else "Baton"


def merged_facts(facts: Mapping[str, Sequence[Any]]) -> list[tuple[str, str, str]]:
    """Return what a merge changed of the survivor, as (label, before, after) in words."""
    declared = {each.name: (each.label, each.type) for each in LeadAttribute.objects.all()}
    return [
        words
        for field, (was, value) in facts.items()
        if field != "company_id"
        for words in changed_words(field, was, value, declared)
    ]

"""What people changed of a lead, as its timeline tells it: read from the log of facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.text import Truncator

from crm.accounts.models import User
from crm.common.slots import TimelineEntry
from crm.common.ui.words import phone
from leads.countries import country_name
from leads.enums import AttributeType
from leads.models import LeadAttribute, LeadFact
from leads.normalise import source_label
from leads.wording import attribute_words

_LONGEST_VALUE = 60
_LABELS = {
    "email": "E-mail",
    "title": "Role",
    "company_name": "Company",
}
_SAID: Mapping[str, Callable[[str], str]] = {
    "country": country_name,
    "phone": phone,
    "source": source_label,
    "medium": source_label,
}


def edit_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what people changed of a lead, one entry for each time; a ``TimelineSource``.

    What was known when it was captured is no change, and what an import brought is no person's.
    """
    del viewer
    facts = LeadFact.objects.filter(
        lead_id=lead_id, actor__isnull=False, recorded_at__gt=F("lead__created_at")
    )
    if before:
        facts = facts.filter(recorded_at__lt=before)
    instants = facts.order_by("-recorded_at").values("recorded_at").distinct()[:limit]
    told = _with_past(facts.filter(recorded_at__in=instants))
    edits = groupby(told, key=lambda fact: (fact.recorded_at, fact.actor))
    return [_entry(at, actor, list(written)) for (at, actor), written in edits]


def _with_past(facts: QuerySet[LeadFact]) -> QuerySet[LeadFact]:
    """Add to each fact the value before it, ``was``, and what attributes there are, ``declared``.

    All in one query: the page of a lead asks every source.
    """
    older = LeadFact.objects.filter(
        lead=OuterRef("lead"), field=OuterRef("field"), recorded_at__lt=OuterRef("recorded_at")
    ).order_by("-recorded_at", "-id")
    declared = LeadAttribute.objects.values(
        each=JSONObject(name="name", label="label", type="type")
    )
    return (
        facts.select_related("actor")
        .annotate(was=Subquery(older.values("value")[:1]), declared=ArraySubquery(declared))
        .order_by("-recorded_at", "actor_id", "id")
    )


def _entry(at: datetime, actor: User | None, facts: Iterable[Any]) -> TimelineEntry:
    changes = [words for fact in facts for words in _changes(fact)]
    return TimelineEntry(
        at=at, kind="sales", icon="pencil", title=", ".join(changes), detail=f"By {actor}"
    )


def _changes(fact: Any) -> Iterator[str]:
    """Yield what a fact changed, in words; ``attributes`` holds all of them, changed or not."""
    if fact.field == "attributes":
        yield from _attribute_changes(fact.was or {}, fact.value or {}, fact.declared)
        return
    label = _LABELS.get(fact.field, fact.field.capitalize())
    say = _SAID.get(fact.field, str)
    yield _change(label, say(fact.was or ""), say(fact.value or ""))


def _attribute_changes(
    was: Mapping[str, Any], value: Mapping[str, Any], declared: Iterable[Mapping[str, str]]
) -> Iterator[str]:
    known = {each["name"]: each for each in declared}
    for name in dict.fromkeys([*was, *value]):
        if was.get(name) == value.get(name):
            continue
        label = known[name]["label"] if name in known else name.replace("_", " ").capitalize()
        kind = AttributeType(known[name]["type"]) if name in known else AttributeType.TEXT
        said = [attribute_words(kind, side[name]) if name in side else "" for side in (was, value)]
        yield _change(label, *said)


def _change(label: str, was: str, now: str) -> str:
    """Return ``Staff 75 to 300``, ``City to Bergen``, ``City Bergen removed``."""
    was, now = (Truncator(words).chars(_LONGEST_VALUE) for words in (was, now))
    parts = (label, was, f"to {now}" if now else "removed")
    return " ".join(part for part in parts if part)

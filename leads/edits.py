"""What people changed of a lead, as its timeline tells it: read from the log of facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Q
from django.utils.text import Truncator

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.slots import TimelineEntry
from crm.common.ui.words import phone
from leads.countries import country_name
from leads.enums import AttributeType
from leads.models import LeadFact
from leads.normalise import source_label
from leads.wording import attribute_words

#: What a fact is called, what it was, what it is.
Words = tuple[str, str, str]

_LONGEST_VALUE = 60
_LABELS = {
    "email": "E-mail",
    "first_name": "First name",
    "last_name": "Last name",
    "title": "Role",
    "company_name": "Company",
}
_SAID: Mapping[str, Callable[[Any], str]] = {
    "country": country_name,
    "phone": phone,
    "source": source_label,
    "medium": source_label,
    "tags": ", ".join,
}


#: Whether anybody changed anything, and perhaps nothing but what it was captured with.
EDITS = PreparedQuery(
    lambda lead, before: LeadFact.objects.filter(
        Q(actor__isnull=False) | Q(field="owner"), lead_id=lead, recorded_at__lt=before
    )
)

#: Facts of the newest edits with the value before them; written out, as the page of every lead asks
#: for it and composing it anew took longer than the database needs.
_EDITS = """
    SELECT fact.id, fact.field, fact.value, fact.recorded_at, fact.actor_id, past.value AS was,
        coalesce(nullif(person.full_name, ''), person.email) AS person,
        (SELECT jsonb_object_agg(name, jsonb_build_array(label, type)) FROM leads_leadattribute)
        AS declared
    FROM (
        SELECT fact.*, dense_rank() OVER (ORDER BY fact.recorded_at DESC) AS place
        FROM leads_leadfact fact JOIN leads_lead lead ON lead.id = fact.lead_id
        WHERE fact.lead_id = %(lead_id)s
        AND (fact.actor_id IS NOT NULL OR fact.field = 'owner')
        AND fact.recorded_at > lead.created_at
        AND fact.recorded_at < coalesce(%(before)s::timestamptz, 'infinity')
    ) fact
    LEFT JOIN accounts_user person ON person.id = fact.actor_id
    LEFT JOIN LATERAL (
        SELECT value FROM leads_leadfact older
        WHERE older.lead_id = %(lead_id)s AND older.field = fact.field
        AND older.recorded_at < fact.recorded_at
        ORDER BY older.recorded_at DESC, older.id DESC LIMIT 1
    ) past ON true
    WHERE fact.place <= %(limit)s
    ORDER BY fact.recorded_at DESC, fact.actor_id, fact.id
"""


def edit_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what people changed of a lead, one entry for each time; a ``TimelineSource``.

    What was known when it was captured is no change, and what an import brought is no person's. An
    owner who sells no more loses it to nobody's hand, and is told of too.
    """
    del viewer
    asked = {"lead_id": lead_id, "before": before, "limit": limit}
    facts = LeadFact.objects.raw(_EDITS, asked)
    edits = groupby(facts, key=lambda fact: (fact.recorded_at, fact.actor_id))
    return [_entry(at, list(written)) for (at, _), written in edits]


def _entry(at: datetime, facts: Sequence[Any]) -> TimelineEntry:
    return TimelineEntry(
        at=at,
        kind="sales",
        icon="pencil",
        title=", ".join(_change(*each) for fact in facts for each in _changes(fact)),
        detail=f"By {facts[0].person}" if facts[0].person else "Its owner sells no more",
    )


def _changes(fact: Any) -> Iterator[Words]:
    declared = json.loads(fact.declared or "{}")
    return changed_words(fact.field, json.loads(fact.was or "null"), fact.value, declared)


def changed_words(
    field: str, was: Any, value: Any, declared: Mapping[str, Sequence[str]]
) -> Iterator[Words]:
    """Yield what a fact changed: the label, what it was and what it is, in words.

    Args:
        field: As the log names it; ``attributes`` holds all of them, changed or not.
        was: The value before, None for none.
        value: The value it took.
        declared: Label and type of the attributes by name.
    """
    if field == "attributes":
        yield from _attribute_changes(was or {}, value or {}, declared)
        return
    if field == "owner":  # says itself who it was: handoffs change owners too
        was, value = value["was"], value["is"]
    say = _SAID.get(field, str)
    label = _LABELS.get(field, field.capitalize())
    yield label, say(was or ""), say(value or "")


def _attribute_changes(
    was: Mapping[str, Any], value: Mapping[str, Any], declared: Mapping[str, Sequence[str]]
) -> Iterator[Words]:
    for name in dict.fromkeys([*was, *value]):
        if was.get(name) == value.get(name):
            continue
        undeclared = (name.replace("_", " ").capitalize(), AttributeType.TEXT)
        label, kind = declared.get(name, undeclared)
        before, now = (
            "" if side.get(name) is None else attribute_words(AttributeType(kind), side[name])
            for side in (was, value)
        )
        yield label, before, now


def _change(label: str, was: str, now: str) -> str:
    """Return ``Staff 75 to 300``, ``City to Bergen``, ``City Bergen removed``."""
    was, now = (Truncator(words).chars(_LONGEST_VALUE) for words in (was, now))
    parts = (label, was, f"to {now}" if now else "removed")
    return " ".join(part for part in parts if part)

"""What two leads that are one person know of them, and who else has to follow a merge.

Upper floors register how what they keep of a lead goes along, and comes back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from crm.accounts.enums import Role
from crm.common.registry import Registry
from leads.edits import changed_words
from leads.models import Lead, LeadAttribute, LeadMerge

#: The columns that are compared, in the order in which they are shown.
_COLUMNS = (
    "first_name", "last_name", "email", "phone", "title", "company_name", "country", "region",
    "city", "website", "source", "medium", "campaign",
)  # fmt: skip
_ATTRIBUTE = "attribute_"

#: Who may say that two leads are one person; reps ask them.
MERGE_ROLES = (Role.MARKETER, Role.MANAGER, Role.ADMIN)

#: What a follower keeps of a merge, as JSON, to give it back.
Kept = Mapping[str, Any]


def _no_words(_survivor: Lead, _merged: Lead) -> list[str]:
    return []


def _no_sentence(_survivor: Lead, _merged: Lead) -> str:
    return ""


def _nothing(_lead_ids: Sequence[int]) -> None:
    return


@dataclass(frozen=True)
class Follower:
    """How what one app keeps of a lead follows a merge, in the transaction of it.

    ``follow(merge, now)`` gives it to the survivor and returns what ``give_back(merge, now)``
    needs, which finds it in ``merge.followed``. Either sets ``merge.has_more`` where it leaves work
    for later. ``tell`` says beforehand what will go along (``2 notes``), ``consequence`` what else
    follows, in a sentence, and ``objection`` why it must not be. ``before`` and ``before_undo``
    take locks that come before those of the leads.
    """

    name: str
    order: int
    follow: Callable[[LeadMerge, datetime], Kept]
    give_back: Callable[[LeadMerge, datetime], None]
    tell: Callable[[Lead, Lead], list[str]] = _no_words
    consequence: Callable[[Lead, Lead], str] = _no_sentence
    objection: Callable[[Lead, Lead], str] = _no_sentence
    before: Callable[[Sequence[int]], None] = _nothing
    before_undo: Callable[[Sequence[int]], None] = _nothing


followers: Registry[Follower] = Registry("follower of merges")


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that the merged lead tells otherwise: ``value`` in words, and as it is stored."""

    name: str
    label: str
    kept: str
    other: str
    value: Any

    @property
    def is_choice(self) -> bool:
        """Say whether both know something; what only the merged lead knows is taken over."""
        return bool(self.kept)


def differences(survivor: Lead, merged: Lead) -> list[Difference]:
    """Return what the merged lead knows and the survivor does not, or knows otherwise."""
    return [*_of_columns(survivor, merged), *_of_attributes(survivor, merged)]


def changes(found: Sequence[Difference], take: Collection[str]) -> dict[str, Any]:
    """Return what the survivor takes over, as ``update_lead`` is told: blanks, and ``take``."""
    taken = {each.name: each.value for each in found if each.name in take or not each.is_choice}
    said = {name: value for name, value in taken.items() if not name.startswith(_ATTRIBUTE)}
    custom = {
        name.removeprefix(_ATTRIBUTE): value for name, value in taken.items() if name not in said
    }
    return {**said, "attributes": custom} if custom else said


def fingerprint(found: Sequence[Difference]) -> str:
    """Return what tells whether somebody changed a fact since it was shown."""
    spelt = json.dumps([[each.name, each.kept, each.other] for each in found])
    return hashlib.sha256(spelt.encode()).hexdigest()


def rekey(models: Sequence[type[Model]], merge: LeadMerge) -> dict[str, list[int]]:
    """Give rows of the merged lead to the survivor; return their ids by table."""
    moved = {}
    for model in models:
        rows = model._default_manager.filter(lead=merge.merged_id)
        ids = list(rows.order_by("pk").values_list("pk", flat=True))
        model._default_manager.filter(pk__in=ids).update(lead=merge.survivor_id)
        moved[model._meta.label] = ids
    return moved


def rekey_back(models: Sequence[type[Model]], merge: LeadMerge, moved: Kept) -> None:
    """Give the rows back that ``rekey`` has moved."""
    for model in models:
        rows = model._default_manager.filter(pk__in=moved[model._meta.label])
        rows.filter(lead=merge.survivor_id).update(lead=merge.merged_id)


def _of_columns(survivor: Lead, merged: Lead) -> Iterator[Difference]:
    for name in _COLUMNS:
        value = getattr(merged, name)
        if value and value != getattr(survivor, name):
            [(label, kept, other)] = changed_words(name, getattr(survivor, name), value, {})
            yield Difference(name, label, kept, other, value)


def _of_attributes(survivor: Lead, merged: Lead) -> Iterator[Difference]:
    for each in LeadAttribute.objects.filter(name__in=merged.attributes).order_by("label", "pk"):
        value = merged.attributes[each.name]
        was, declared = survivor.attributes, {each.name: (each.label, each.type)}
        side = {each.name: was[each.name]} if each.name in was else {}
        words = changed_words("attributes", side, {each.name: value}, declared)
        for label, kept, other in words:
            yield Difference(_ATTRIBUTE + each.name, label, kept, other, value)

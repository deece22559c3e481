"""Making one of two leads that are the same person, and taking that back.

The merged lead keeps its row and its history, and points to the survivor; what others ask for by
its address, number or browser leads there. Merges are done beside each other, and beside nobody who
finds out whose act something is: see ``share_merges``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from crm.accounts.models import User
from crm.common.locks import begin_to_write, keep_from_writing
from leads.enums import LifecycleStage
from leads.merging import Difference, changes, differences, fingerprint, followers
from leads.models import Lead, LeadMerge
from leads.services.capture import DuplicateEmail, update_lead
from leads.services.tags import MOST_TAGS, set_tags
from leads.services.values import LeadInvalid
from leads.signals import leads_changed, standing_changed

#: Whoever came so far is kept: deals and verdicts stay where they are.
_FAR = (LifecycleStage.SQL, LifecycleStage.WON)

#: What a company is matched by.
_MATCHED = {"email", "company_name"}


class MergeRefused(Exception):
    """The leads cannot be merged, or not be parted again; the message says why."""


class MergeChanged(Exception):
    """Somebody changed a fact since the person compared the two."""


def share_merges() -> None:
    """Let no lead be merged until the transaction ends; before anything else is locked.

    For whoever looks up a lead by what it is known by and then writes what it did.
    """
    keep_from_writing(LeadMerge)


def begin_to_merge() -> None:
    """Wait for whoever shares merges, and let nobody begin to until the transaction ends."""
    begin_to_write(LeadMerge)


def standing_ids(lead_ids: Collection[int]) -> dict[int, int]:
    """Return of those leads that exist the one that each is by now."""
    leads = Lead.objects.filter(pk__in=lead_ids).only("merged_into")
    return {lead.pk: lead.standing_id for lead in leads}


def survivor_of(*, lead_id: int) -> int:
    """Return the lead that ``lead_id`` is by now, and until the transaction ends."""
    share_merges()
    return standing_ids([lead_id]).get(lead_id, lead_id)


def objections(survivor: Lead, merged: Lead) -> list[str]:
    """Return why ``merged`` must not be merged into ``survivor``, as far as one can see."""
    found = [*_own_objections(survivor, merged)]
    return found or [why for each in followers if (why := each.objection(survivor, merged))]


def told(survivor: Lead, merged: Lead) -> list[str]:
    """Return in words what will follow ``merged`` into ``survivor``."""
    return [words for each in followers for words in each.tell(survivor, merged)]


def consequences(survivor: Lead, merged: Lead) -> list[str]:
    """Return in sentences what else a merge leads to."""
    return [words for each in followers if (words := each.consequence(survivor, merged))]


def propose(first: Lead, second: Lead) -> tuple[Lead, Lead]:
    """Return (survivor, merged): the earlier captured one stays, unless only the other way goes."""
    earlier, later = sorted((first, second), key=lambda lead: (lead.created_at, lead.pk))
    if objections(earlier, later) and not objections(later, earlier):
        return later, earlier
    return earlier, later


@transaction.atomic
def merge_leads(
    *,
    survivor_id: int,
    merged_id: int,
    actor: User,
    now: datetime,
    take: Collection[str] = (),
    seen: str = "",
) -> LeadMerge:
    """Merge one lead into another: all that it did and said is the survivor's from now on.

    What the survivor does not know is taken over. That two are one is news of the survivor: it may
    become an MQL by what both did.

    Args:
        survivor_id: the lead that stays.
        merged_id: the lead that is found no more.
        actor: who says that they are one person.
        now: when.
        take: names of differences in which the merged lead is right.
        seen: the fingerprint of the differences that ``actor`` saw; empty for whatever they are.

    Raises:
        MergeChanged: a fact was changed since ``seen``.
        MergeRefused: it cannot be done; the message says why.
    """
    begin_to_merge()
    survivor, merged = _lock(survivor_id, merged_id, now)
    if problems := objections(survivor, merged):
        raise MergeRefused(problems[0])
    found = differences(survivor, merged)
    if seen and seen != fingerprint(found):
        raise MergeChanged
    merge = LeadMerge.objects.create(
        survivor=survivor,
        merged=merged,
        merged_at=now,
        merged_by=actor,
        address=merged.email or "",
        words=told(survivor, merged),
    )
    merge.facts = _take_over(survivor, merged, found, take, actor=actor, now=now)
    Lead.objects.filter(Q(pk=merged.pk) | Q(merged_into=merged)).update(merged_into=survivor)
    for follower in followers:
        merge.followed[follower.name] = follower.follow(merge, now)
    merge.save(update_fields=["facts", "followed", "has_more"])
    leads_changed.send(sender=Lead, lead_ids=[survivor.pk], now=now)
    return merge


@transaction.atomic
def undo_merge(*, merge_id: int, actor: User, now: datetime) -> LeadMerge:
    """Take a merge back: each lead has again what was its own then.

    What the survivor was told since stays with it, but for what the merged lead's browsers did.

    Raises:
        MergeRefused: it was taken back, a later merge of the survivor stands, or acts are still on
            their way.
    """
    begin_to_merge()
    merge = LeadMerge.objects.select_for_update().get(pk=merge_id)
    for follower in followers:
        follower.before_undo([merge.survivor_id, merge.merged_id])
    merge.survivor, merge.merged = _locked(merge.survivor_id, merge.merged_id, now)
    if problem := _obstacle(merge):
        raise MergeRefused(problem)
    _give_facts_back(merge, actor=actor, now=now)
    Lead.objects.filter(pk__in=family_of(merge.merged_id)).update(merged_into=merge.merged_id)
    Lead.objects.filter(pk=merge.merged_id).update(merged_into=None)
    merge.undone_at, merge.undone_by = max(now, merge.merged_at), actor
    merge.save(update_fields=["undone_at", "undone_by"])
    for follower in followers:
        follower.give_back(merge, now)
    merge.save(update_fields=["followed", "has_more"])
    return merge


def family_of(lead_id: int) -> list[int]:
    """Return the leads that were merged into this one, and into those; not itself."""
    found: list[int] = []
    parents = [lead_id]
    while parents:
        merges = LeadMerge.objects.standing().filter(survivor__in=parents)
        parents = list(merges.order_by("pk").values_list("merged", flat=True))
        found += parents
    return found


def _lock(survivor_id: int, merged_id: int, now: datetime) -> tuple[Lead, Lead]:
    if survivor_id == merged_id:
        raise MergeRefused("A lead cannot be merged into itself.")
    for follower in followers:
        follower.before([survivor_id, merged_id])
    return _locked(survivor_id, merged_id, now)


def _locked(survivor_id: int, merged_id: int, now: datetime) -> tuple[Lead, Lead]:
    """Return the two, locked in one order with those that were merged into them before.

    What both become is told at once: so their scores are held in that order too, before the facts
    of either are written. Who writes all scores anew goes by it.
    """
    two = sorted((survivor_id, merged_id))
    rows = Lead.objects.select_for_update(no_key=True).order_by("pk")
    leads = {lead.pk: lead for lead in rows.filter(Q(pk__in=two) | Q(merged_into__in=two))}
    standing_changed.send(sender=Lead, lead_ids=two, now=now)
    return leads[survivor_id], leads[merged_id]


def _own_objections(survivor: Lead, merged: Lead) -> list[str]:
    if survivor.pk == merged.pk:
        return ["A lead cannot be merged into itself."]
    for lead in (survivor, merged):
        if lead.merged_into_id:
            return [f"{lead} was merged into {lead.merged_into} already."]
    if LeadMerge.objects.filter(has_more=True, survivor__in=[survivor, merged]).exists():
        return ["The acts of an earlier merge are still on their way: try again in a minute."]
    if merged.stage in _FAR and survivor.stage not in _FAR:
        return [f"{merged} is {merged.get_stage_display()} already: keep that lead."]
    return []


def _obstacle(merge: LeadMerge) -> str:
    """Return why a merge, which is locked, cannot be taken back."""
    if merge.undone_at:
        return "This merge was taken back already."
    if merge.has_more:
        return "Its acts are still on their way: try again in a minute."
    later = LeadMerge.objects.standing().of(merge.survivor_id).filter(pk__gt=merge.pk)
    if last := later.select_related("survivor", "merged").last():
        return (
            f"Take back first that {last.merged} was merged into {last.survivor}, which is later."
        )
    return ""


def _take_over(
    survivor: Lead,
    merged: Lead,
    found: Sequence[Difference],
    take: Collection[str],
    *,
    actor: User,
    now: datetime,
) -> dict[str, list[Any]]:
    """Complete the survivor and return what was changed, each as [before, after]."""
    said = changes(found, take)
    facts = {name: [getattr(survivor, name), value] for name, value in said.items()}
    if custom := said.get("attributes"):
        before = {name: survivor.attributes.get(name) for name in custom}
        facts["attributes"] = [before, custom]
    if "email" in said:
        Lead.objects.filter(pk=merged.pk).update(email=None)
    _write(survivor.pk, said, actor=actor, now=now)
    if "email" in said:
        Lead.objects.filter(pk=merged.pk).update(email=survivor.email)
    if _MATCHED & said.keys():
        facts["company_id"] = [survivor.company_id, None]
    if added := [tag for tag in merged.tags if tag not in survivor.tags]:
        tags = [*survivor.tags, *added][:MOST_TAGS]
        facts["tags"] = [survivor.tags, tags]
        survivor.tags = tags
        set_tags(leads=[survivor], actor=actor, now=now)
    return facts


def _give_facts_back(merge: LeadMerge, *, actor: User, now: datetime) -> None:
    """Undo ``_take_over``; what somebody has changed since stays as it is."""
    facts, survivor = dict(merge.facts), merge.survivor
    if tags := facts.pop("tags", None):
        before, after = tags
        survivor.tags = [tag for tag in survivor.tags if tag in before or tag not in after]
        set_tags(leads=[survivor], actor=actor, now=now)
    company = facts.pop("company_id", None)
    was, became = facts.pop("attributes", ({}, {}))
    back = {name: before for name, (before, after) in facts.items()
            if getattr(survivor, name) == after}  # fmt: skip
    if same := _unchanged(survivor.attributes, became):
        back["attributes"] = {name: was[name] for name in same}
    if "email" in facts:
        Lead.objects.filter(pk=merge.merged_id).update(email=None)
    _write(survivor.pk, back, actor=actor, now=now)
    if company and _MATCHED & facts.keys() <= back.keys():
        Lead.objects.filter(pk=survivor.pk).update(company=company[0])
    if "email" in facts:
        _give_address_back(merge)


def _unchanged(attributes: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [name for name, value in after.items() if attributes.get(name) == value]


def _give_address_back(merge: LeadMerge) -> None:
    if other := Lead.objects.filter(email=merge.address).first():
        raise MergeRefused(f"{merge.address} belongs to {other} by now: free it first.")
    Lead.objects.filter(pk=merge.merged_id).update(email=merge.address)


def _write(lead_id: int, said: Mapping[str, Any], *, actor: User, now: datetime) -> None:
    if not said:
        return
    values: dict[str, Any] = {name: "" if value is None else value for name, value in said.items()}
    try:
        update_lead(lead_id=lead_id, now=now, actor=actor, **values)
    except (LeadInvalid, DuplicateEmail) as refusal:
        raise MergeRefused(f"{refusal}.") from refusal

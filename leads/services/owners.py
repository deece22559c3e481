"""Who holds a lead that sales has not been asked about: given by hand, and told in its history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from crm.accounts.models import SalesTeam, User
from leads.models import Lead, LeadFact
from leads.services.work import assign_lead, lock_leads


@transaction.atomic
def give_lead(
    *, lead_id: int, owner: User | None, team: SalesTeam | None, actor: User, now: datetime
) -> None:
    """Give a lead without a handoff to a person, a team's pool (``team`` alone) or nobody."""
    held = Lead.objects.select_for_update(of=("self",), no_key=True).select_related("owner")
    former = held.get(pk=lead_id).owner
    assign_lead(lead_id=lead_id, owner=owner, team=team)
    _record_owner([lead_id], former, owner, at=now, actor=actor)


@transaction.atomic
def release_leads(*, lead_ids: Sequence[int], of: User, now: datetime) -> int:
    """Take those of ``lead_ids`` that are still his from ``of``; their teams keep them.

    Returns:
        How many leads have no owner any more.
    """
    lock_leads(lead_ids)
    held = Lead.objects.filter(pk__in=lead_ids, owner=of)
    released = list(held.values_list("pk", flat=True))
    Lead.objects.filter(pk__in=released).update(owner=None)
    _record_owner(released, of, None, at=now, actor=None)
    return len(released)


def _record_owner(
    lead_ids: Iterable[int],
    was: User | None,
    owner: User | None,
    *,
    at: datetime,
    actor: User | None,
) -> None:
    """Log from whom to whom leads went, by name; handoffs in between log theirs elsewhere."""
    value = {"was": str(was or ""), "is": str(owner or "")}
    facts = (
        LeadFact(lead_id=pk, field="owner", value=value, recorded_at=at, actor=actor)
        for pk in lead_ids
    )
    LeadFact.objects.bulk_create(facts, batch_size=1000)

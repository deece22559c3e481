"""Who may be the same person as a lead, as its page says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from leads.merging import MERGE_ROLES
from leads.models import Lead

#: Leads that the page names. Our choice: more of one name and company are no slip.
_MOST = 5

#: By the index of names; of those who share one only few work for the same company.
_NAMESAKES = PreparedQuery(
    lambda first, last, company, phone: (
        Lead.objects.standing()
        .filter(last_name=last, first_name=first)
        .filter((Q(company_name=company) & ~Q(company_name="")) | (Q(phone=phone) & ~Q(phone="")))
        .order_by("last_name", "first_name", "id")[: _MOST + 1]
    )
)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A lead of the same name, with what else is the same."""

    lead: Lead
    same: str


def possible_duplicates(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return the leads of the same name at the same company or phone; None where there is none.

    Only those that ``viewer`` may see; no query for a lead without a full name.
    """
    del now
    if not (lead.first_name and lead.last_name):
        return None
    asked = (lead.first_name, lead.last_name, lead.company_name, lead.phone)
    others = [other for other in _NAMESAKES.ask(*asked) if other.pk != lead.pk]
    found = [Duplicate(other, _same(lead, other)) for other in _visible(others, viewer)]
    may_merge = viewer.has_role(*MERGE_ROLES)
    return {"duplicates": found, "may_merge": may_merge} if found else None


def _same(lead: Lead, other: Lead) -> str:
    parts = [
        "company" if lead.company_name and lead.company_name == other.company_name else "",
        "phone" if lead.phone and lead.phone == other.phone else "",
    ]
    return " and ".join(part for part in parts if part)


def _visible(found: Sequence[Lead], viewer: User) -> Sequence[Lead]:
    """Return those of a few leads that ``viewer`` may see."""
    if viewer.sees_all_leads or not found:
        return found
    visible = Lead.objects.visible_to(viewer).filter(pk__in=[lead.pk for lead in found])
    seen = set(visible.values_list("pk", flat=True))
    return [lead for lead in found if lead.pk in seen]

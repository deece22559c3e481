"""The fact log: which attribute of a lead took which value when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from crm.accounts.models import User
from leads.models import Lead, LeadFact

#: What fit can ask about a lead "as of" a past time.
FACT_FIELDS = (
    "email", "phone", "title", "company_name", "country", "region", "city", "website", "source",
    "medium", "campaign", "attributes",
)  # fmt: skip


#: Nothing scores names: they are logged once somebody changes one, for the history.
NAME_FIELDS = ("first_name", "last_name")


def record_first_names(*, lead: Lead, before: Mapping[str, Any]) -> None:
    """Log as what a lead was captured those names in ``before`` of which the log knows nothing."""
    names = [name for name in NAME_FIELDS if name in before]
    known = LeadFact.objects.filter(lead=lead, field__in=names).values_list("field", flat=True)
    unknown = set(names) - set(known) if names else set()
    LeadFact.objects.bulk_create(
        LeadFact(lead=lead, field=name, value=before[name], recorded_at=lead.created_at)
        for name in sorted(unknown)
    )


def record_facts(*, lead: Lead, fields: Iterable[str], at: datetime, actor: User | None) -> None:
    """Append the present value of each of ``fields`` that is logged."""
    LeadFact.objects.bulk_create(facts_of(lead, fields, at=at, actor=actor))


def facts_of(
    lead: Lead, fields: Iterable[str], *, at: datetime, actor: User | None
) -> list[LeadFact]:
    """Return what ``record_facts`` appends."""
    return [
        LeadFact(lead=lead, field=field, value=getattr(lead, field), recorded_at=at, actor=actor)
        for field in fields
        if field in FACT_FIELDS or field in NAME_FIELDS
    ]

"""The fact log: which attribute of a lead took which value when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from crm.accounts.models import User
from leads.models import Lead, LeadFact

#: What fit can ask about a lead "as of" a past time. Names are left out: nothing scores them.
FACT_FIELDS = (
    "email", "phone", "title", "company_name", "country", "region", "city", "website", "source",
    "medium", "campaign", "attributes",
)  # fmt: skip


def record_facts(*, lead: Lead, fields: Iterable[str], at: datetime, actor: User | None) -> None:
    """Append the present value of each of ``fields`` that fit can ask about."""
    LeadFact.objects.bulk_create(
        LeadFact(lead=lead, field=field, value=getattr(lead, field), recorded_at=at, actor=actor)
        for field in fields
        if field in FACT_FIELDS
    )

"""What the lead page says of a lead, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery, QueryOfViewer
from leads.countries import country_name
from leads.enums import AttributeType
from leads.models import Lead, LeadAttribute
from leads.normalise import source_label
from leads.wording import attribute_words

_MOST_COLLEAGUES = 100
_ATTRIBUTES = PreparedQuery(
    lambda names: LeadAttribute.objects.filter(name__among=names).order_by("label", "id")
)
_COLLEAGUES = QueryOfViewer(
    lambda viewer, company, lead: (
        Lead.objects.visible_to(viewer)
        .filter(company=company)
        .exclude(pk=lead)
        .values_list("pk")[:_MOST_COLLEAGUES]
    )
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known; ``name`` is that of the fact where it can be changed."""

    label: str
    value: str
    name: str


def known_of(lead: Lead, *, viewer: User) -> dict[str, Any]:
    """Return what the partial of the facts needs beside the lead."""
    return {
        "place": _place(lead),
        "source": _source(lead),
        "attributes": _attributes(lead),
        "colleagues": _count_colleagues(lead, viewer=viewer),
    }


def _place(lead: Lead) -> str:
    parts = [lead.city, lead.region, country_name(lead.country)]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def _source(lead: Lead) -> list[Fact]:
    facts = [
        Fact("Source", source_label(lead.source), "source"),
        Fact("Medium", lead.medium.replace("_", " "), "medium"),
        Fact("Campaign", lead.campaign, "campaign"),
    ]
    return [fact for fact in facts if fact.value]


def _attributes(lead: Lead) -> list[Fact]:
    """Return the custom attributes that are known, by label."""
    declared = _ATTRIBUTES.ask(list(lead.attributes)) if lead.attributes else []
    return [
        Fact(
            each.label,
            attribute_words(AttributeType(each.type), lead.attributes[each.name]),
            f"attribute_{each.name}",
        )
        for each in declared
    ]


def _count_colleagues(lead: Lead, *, viewer: User) -> int:
    """Return how many other leads of the company the person may see, up to a bound."""
    if lead.company_id is None:
        return 0
    return len(_COLLEAGUES.rows(viewer, lead.company_id, lead.pk))

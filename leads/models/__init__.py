"""The tables of ``leads``, one file per subject."""

from leads.models.company import Company
from leads.models.consent import Consent, ConsentQuerySet
from leads.models.deal import Deal
from leads.models.imports import ImportJob, ImportRow
from leads.models.lead import ExternalId, Lead, LeadAttribute, LeadFact, LeadQuerySet, Note
from leads.models.stage import StageInterval, StageIntervalQuerySet

__all__ = [
    "Company",
    "Consent",
    "ConsentQuerySet",
    "Deal",
    "ExternalId",
    "ImportJob",
    "ImportRow",
    "Lead",
    "LeadAttribute",
    "LeadFact",
    "LeadQuerySet",
    "Note",
    "StageInterval",
    "StageIntervalQuerySet",
]

"""The tables of ``leads``, one file per subject."""

from leads.models.bulk import BulkJob, BulkJobQuerySet, BulkRow
from leads.models.company import Company
from leads.models.consent import Consent, ConsentQuerySet
from leads.models.deal import CompanyDeal, Deal
from leads.models.duplicates import DuplicateCheck
from leads.models.imports import ImportJob, ImportRow
from leads.models.lead import (
    ExternalId,
    Lead,
    LeadAttribute,
    LeadFact,
    LeadQuerySet,
    Note,
    Tag,
    digits_of_phone,
    name_of,
)
from leads.models.merge import LeadMerge, LeadMergeQuerySet
from leads.models.stage import StageInterval, StageIntervalQuerySet
from leads.models.views import DefaultView, KeptView, KeptViewQuerySet, PinnedView

__all__ = [
    "BulkJob",
    "BulkJobQuerySet",
    "BulkRow",
    "Company",
    "CompanyDeal",
    "Consent",
    "ConsentQuerySet",
    "Deal",
    "DefaultView",
    "DuplicateCheck",
    "ExternalId",
    "ImportJob",
    "ImportRow",
    "KeptView",
    "KeptViewQuerySet",
    "Lead",
    "LeadAttribute",
    "LeadFact",
    "LeadMerge",
    "LeadMergeQuerySet",
    "LeadQuerySet",
    "Note",
    "PinnedView",
    "StageInterval",
    "StageIntervalQuerySet",
    "Tag",
    "digits_of_phone",
    "name_of",
]

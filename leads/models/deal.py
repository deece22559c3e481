"""Deals: what a lead turned into."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from leads.enums import DealOutcome
from leads.models.company import Company
from leads.models.lead import Lead


class Deal(models.Model):
    """How one cycle of a lead ended commercially. Written by ``leads.services``.

    ``value`` is in ``currency`` (ISO 4217; empty when the source named none). ``owner_name`` is the
    salesperson as the source wrote it, ``owner`` the same person when they have an account.
    A flagged deal is kept and shown but leaves the stage history alone; ``flag`` says why.
    """

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="deals", db_index=False)
    cycle = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=4, choices=DealOutcome)
    closed_at = models.DateTimeField()
    value = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    owner_name = models.CharField(max_length=150, blank=True)
    company = models.ForeignKey(Company, null=True, blank=True, on_delete=models.PROTECT)
    product = models.CharField(max_length=150, blank=True)
    system = models.CharField(max_length=50, blank=True)
    external_id = models.CharField(max_length=200, blank=True)
    flag = models.CharField(max_length=200, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["system", "external_id"],
                condition=~Q(external_id=""),
                name="deal_external_id_once",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=DealOutcome.values), name="deal_outcome_is_known"
            ),
        ]
        indexes = [models.Index(fields=["lead", "cycle"], name="deal_of_cycle")]

    def __str__(self) -> str:
        return f"{self.outcome} deal of lead {self.lead_id}"


class CompanyDeal(models.Model):
    """A deal of anybody of a company: a view, which looks at all leads.

    Queries about the past put their own ``leads_lead`` before the table, with the leads they ask
    for alone (``scoring.past``). Colleagues, who are found through their deals, are found here.
    """

    company_id = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=4, choices=DealOutcome)
    closed_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.outcome} deal of company {self.company_id}"

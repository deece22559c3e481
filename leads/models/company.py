"""Companies: the organisations leads work for."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Upper


class Company(models.Model):
    """An organisation, matched by e-mail domain unless that is a free mailbox, else by name."""

    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=253, null=True, blank=True, unique=True)
    website = models.CharField(max_length=500, blank=True)
    country = models.CharField(max_length=2, blank=True)
    city = models.CharField(max_length=100, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    employees = models.PositiveIntegerField(null=True, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(domain__isnull=True),
                name="company_one_per_name_without_domain",
            ),
            models.CheckConstraint(
                condition=Q(domain=Lower("domain")), name="company_domain_is_lower"
            ),
        ]
        indexes = [models.Index(Upper("name"), F("id"), name="company_by_name")]

    def __str__(self) -> str:
        return self.name

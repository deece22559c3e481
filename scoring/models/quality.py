"""How well the rules of a model tell leads apart, as measured in the background."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from leads.models import Lead
from scoring.models.versions import ScoringModel


class QualityReportQuerySet(models.QuerySet["QualityReport"]):
    """Reports by what is owed."""

    def waiting(self) -> QualityReportQuerySet:
        """Return reports that are still to be measured, the oldest first."""
        return self.filter(finished_at__isnull=True).order_by("id")

    def measured(self) -> QualityReportQuerySet:
        """Return reports that can be read, the latest first."""
        return self.filter(results__isnull=False).order_by("-finished_at", "-id")

    def failed_since(self, report: QualityReport | None) -> QualityReportQuerySet:
        """Return reports after ``report`` (or at all) that were given up, the latest first."""
        later = self.exclude(error="").order_by("-id")
        return later.filter(pk__gt=report.pk) if report else later


class QualityReport(models.Model):
    """How well the rules of one model tell leads apart, as measured once in the background.

    ``results`` is what ``scoring.quality.results`` reads and writes; ``error`` says why there are
    none. ``attempts`` counts how often measuring was begun. Written by
    ``scoring.services.measuring``.
    """

    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="+")
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    results = models.JSONField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True, db_default="")

    objects = QualityReportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model"],
                condition=Q(finished_at__isnull=True),
                name="quality_report_one_waiting",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, results__isnull=True, error="")
                | Q(finished_at__isnull=False, results__isnull=False, error="")
                | (Q(finished_at__isnull=False, results__isnull=True) & ~Q(error="")),
                name="quality_report_has_results_or_error",
            ),
        ]

    def __str__(self) -> str:
        return f"Quality of {self.model}"


class QualityCase(models.Model):
    """One case that a quality report counted: what became of it, and which lines applied to it.

    ``hits`` and ``misses`` are the numbers of lines in the results of the report; a line that is in
    neither was unknown. Written by ``scoring.services.measuring`` in bulk.
    """

    report = models.ForeignKey(
        QualityReport, on_delete=models.CASCADE, related_name="cases", db_index=False
    )
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="+")
    cycle = models.PositiveSmallIntegerField()
    is_sql = models.BooleanField()
    is_won = models.BooleanField()
    is_refused = models.BooleanField()
    refusal_reason = models.CharField(max_length=20, blank=True)
    hits = ArrayField(models.PositiveSmallIntegerField())
    misses = ArrayField(models.PositiveSmallIntegerField())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["report", "lead", "cycle"], name="quality_case_once_per_report"
            ),
        ]

    def __str__(self) -> str:
        return f"Lead {self.lead_id}, cycle {self.cycle}"

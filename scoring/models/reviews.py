"""Disqualifications that people look at, so that a wrong rule is found."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from leads.models import StageInterval
from scoring.enums import ReviewVerdict


class DisqualificationReview(models.Model):
    """A disqualification by a rule that was drawn for a marketer's review.

    ``change`` is the move, with its reason, rule and model. It was drawn because ``draw`` (0 to 99,
    which follows from the move) is below ``percent``, the share that the model said then. Written
    by ``scoring.services.reviewing``.
    """

    change = models.OneToOneField(
        StageInterval, on_delete=models.CASCADE, related_name="disqualification_review"
    )
    draw = models.PositiveSmallIntegerField()
    percent = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=5, choices=ReviewVerdict, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["", *ReviewVerdict.values]), name="review_verdict_is_known"
            ),
            models.CheckConstraint(
                condition=Q(verdict="", reviewed_at__isnull=True)
                | (~Q(verdict="") & Q(reviewed_at__isnull=False)),
                name="review_verdict_has_a_date",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(verdict=""), name="review_waiting"),
        ]

    def __str__(self) -> str:
        return f"Review of {self.change}: {self.get_verdict_display() or 'open'}"

"""That two leads turned out to be one person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from leads.models.lead import Lead


class LeadMergeQuerySet(models.QuerySet["LeadMerge"]):
    """Merges by what holds."""

    def standing(self) -> LeadMergeQuerySet:
        """Return the merges that nobody took back."""
        return self.filter(undone_at__isnull=True)

    def of(self, lead_id: int) -> LeadMergeQuerySet:
        """Return the merges that a lead had a part in, the first one first."""
        return self.filter(Q(survivor=lead_id) | Q(merged=lead_id)).order_by("merged_at", "pk")


class LeadMerge(models.Model):
    """``merged`` and ``survivor`` are one person since ``merged_at``, until ``undone_at``.

    The merged lead keeps its row as it was, but for an address that the survivor took. ``facts``
    are the fields that were changed of the survivor, each as [before, after]; ``address`` is that
    of the merged lead before. ``followed`` is what came along, by the name of the follower, as far
    as it is needed to give it back; ``has_more`` says that a follower has work left, in whichever
    direction. ``words`` tell what came along. Written by ``leads.services.merging``.
    """

    survivor = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="+")
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    address = models.EmailField(max_length=254, blank=True)
    facts = models.JSONField(default=dict)
    followed = models.JSONField(default=dict)
    words = models.JSONField(default=list)
    has_more = models.BooleanField(default=False)

    objects = LeadMergeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at__isnull=True), name="merge_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(survivor=F("merged")), name="merge_of_two_different_leads"
            ),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__gte=F("merged_at"), undone_by__isnull=False),
                name="merge_undone_later_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(has_more=True), name="merge_with_more_to_do"),
        ]

    def __str__(self) -> str:
        return f"Lead {self.merged_id} into {self.survivor_id}"

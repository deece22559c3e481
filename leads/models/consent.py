"""What a lead agreed to, and what it took back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from leads.enums import ConsentPurpose
from leads.models.lead import Lead


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Consents by what holds."""

    def in_force(self) -> ConsentQuerySet:
        """Return the last word of each lead on each purpose."""
        return self.order_by("lead_id", "purpose", "-given_at", "-id").distinct("lead", "purpose")


class Consent(models.Model):
    """One time a lead agreed to a purpose or took that back; the last one holds. Append-only.

    ``text`` is what the person read, word for word, and ``text_hash`` its SHA-256 in hex. It was
    agreed to at ``asked_at`` and holds since ``given_at``: later, where a mailed link had to be
    confirmed first. ``source`` says in words where, or how it was taken back; ``recorded_by`` is
    the colleague who was told, and ``text`` then what was said. Written by
    ``leads.services.consent``.
    """

    lead = models.ForeignKey(
        Lead, on_delete=models.CASCADE, related_name="consents", db_index=False
    )
    purpose = models.CharField(max_length=9, choices=ConsentPurpose)
    is_granted = models.BooleanField()
    text = models.TextField(blank=True)
    text_hash = models.CharField(max_length=64)
    source = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    given_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=ConsentPurpose.values), name="consent_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(is_granted=False) | ~Q(text=""), name="consent_granted_to_a_text"
            ),
            models.CheckConstraint(
                condition=Q(given_at__gte=F("asked_at")), name="consent_given_after_it_was_asked"
            ),
        ]
        indexes = [
            models.Index(fields=["lead", "purpose", "-given_at", "-id"], name="consent_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {'given' if self.is_granted else 'withdrawn'}"

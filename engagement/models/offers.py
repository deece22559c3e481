"""Offers: what a lead can accept."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from engagement.enums import EventKind, OfferKind
from engagement.models.assets import Asset


class OfferQuerySet(models.QuerySet["Offer"]):
    """Offers by whether they stand."""

    def standing(self, now: datetime) -> OfferQuerySet:
        """Return the offers that can be accepted at ``now``."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), is_active=True)


class Offer(models.Model):
    """Something a lead can accept: a demo, a consultation, a trial, a promotion.

    ``is_fast_track`` says whether accepting it makes an MQL at once, whatever the scoring model
    says of acts of that kind. ``text`` is what its page says. Written by ``engagement.services``.
    """

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=100, unique=True)
    kind = models.CharField(max_length=12, choices=OfferKind)
    text = models.TextField(max_length=2000, blank=True)
    is_fast_track = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    asset = models.ForeignKey(
        Asset, null=True, blank=True, on_delete=models.PROTECT, related_name="offers"
    )

    objects = OfferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=OfferKind.values), name="offer_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def event_kind(self) -> EventKind:
        """Return the event that accepting it is."""
        return OfferKind(self.kind).event_kind

    @property
    def call_to_action(self) -> str:
        """Return what stands on the button that accepts it."""
        return OfferKind(self.kind).call_to_action

    def stands(self, now: datetime) -> bool:
        """Return whether it can be accepted at ``now``."""
        return self.is_active and (self.expires_at is None or now < self.expires_at)

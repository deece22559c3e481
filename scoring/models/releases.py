"""Leads that met a definition by its publication, and how they go to sales in waves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from engagement.enums import EventKind
from leads.models import Lead
from scoring.models.versions import ScoringModel


class MetBefore(models.Model):
    """A lead that met the former definition already when the model in force was published.

    It was not moved then, for a reason that publishing does not change, so it waits for no wave.
    Written by ``scoring.services.standing``.
    """

    lead = models.OneToOneField(Lead, primary_key=True, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"Lead {self.lead_id} met the definition before"


class RaisedHand(models.Model):
    """A lead whose act of before became a buying act when the model in force was published.

    It waits to be released while the latest such act counts, until ``counts_until``. Written by
    ``scoring.services.raised_hands``, forgotten at the next publication.
    """

    lead = models.OneToOneField(
        Lead, primary_key=True, on_delete=models.CASCADE, related_name="raised_hand"
    )
    kind = models.CharField(max_length=20, choices=EventKind)
    counts_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"Lead {self.lead_id}: {self.get_kind_display()}"


class ReleasePlan(models.Model):
    """An order to release so many leads on each working day, until somebody stops it.

    A model that is published stops the plan of the one before. Written by ``scoring.services``.
    """

    model = models.ForeignKey(ScoringModel, on_delete=models.PROTECT, related_name="+")
    per_day = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model"],
                condition=Q(stopped_at__isnull=True),
                name="release_plan_one_running",
            ),
            models.CheckConstraint(
                condition=Q(per_day__gte=1, per_day__lte=1000), name="release_plan_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.per_day} a working day under {self.model}"


class ReleaseWave(models.Model):
    """Some leads that go to sales together: ordered by a person, or by a plan for one day.

    The sweep moves them one by one; what became of each is its ``WaveLead``.
    """

    model = models.ForeignKey(ScoringModel, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(
        ReleasePlan,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="waves",
        db_index=False,
    )
    day = models.DateField(null=True, blank=True)
    ordered_at = models.DateTimeField()
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "day"], name="release_wave_one_a_day"),
            models.CheckConstraint(
                condition=Q(plan__isnull=True, day__isnull=True)
                | Q(plan__isnull=False, day__isnull=False),
                name="release_wave_of_a_plan_has_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"Wave {self.pk} of {self.model}"


class WaveLeadQuerySet(models.QuerySet["WaveLead"]):
    """Leads of waves by what became of them."""

    def pending(self) -> WaveLeadQuerySet:
        """Return those that the sweep still has to move."""
        return self.filter(released_at__isnull=True, left_out="")


class WaveLead(models.Model):
    """One lead of a wave: pending, then released, or left out for the reason that is kept.

    ``try_at`` is when a move that failed is tried again; ``tries`` of them have failed so far.
    """

    wave = models.ForeignKey(
        ReleaseWave, on_delete=models.CASCADE, related_name="leads", db_index=False
    )
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    left_out = models.CharField(max_length=300, blank=True, db_default="", default="")
    try_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)

    objects = WaveLeadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wave", "lead"], name="wave_lead_once"),
            models.UniqueConstraint(
                fields=["lead"],
                condition=Q(released_at__isnull=True, left_out=""),
                name="wave_lead_pending_once",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | Q(left_out=""),
                name="wave_lead_released_or_left_out",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(released_at__isnull=True, left_out=""),
                name="wave_lead_pending",
            ),
        ]

    def __str__(self) -> str:
        return f"Lead {self.lead_id} in wave {self.wave_id}"

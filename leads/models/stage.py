"""Stage history as intervals; the database refuses overlaps and gaps."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from leads.enums import LifecycleStage
from leads.models.lead import Lead


class StageIntervalQuerySet(models.QuerySet["StageInterval"]):
    """Intervals by time."""

    def current(self) -> StageIntervalQuerySet:
        """Return the interval each lead is in now."""
        return self.filter(ended_at__isnull=True)


class StageInterval(models.Model):
    """A lead was in ``stage`` from ``started_at`` (included) to ``ended_at`` (not included).

    Written by ``leads.services.change_stage`` and by imports of history; a trigger refuses holes at
    commit (migration 0002). ``sequence`` counts from 1 per lead; a stage passed within one instant
    is an interval of no length. ``fit_score``, ``engagement_score`` (points, one decimal), ``cell``
    and ``model_version`` are the score at ``started_at``. ``actor`` is a person, ``rule`` what
    acted when it was none. ``woken_at`` is when a recycled lead woke, written by ``wake_leads``.
    """

    lead = models.ForeignKey(
        Lead, on_delete=models.CASCADE, related_name="stage_intervals", db_index=False
    )
    sequence = models.PositiveIntegerField()
    stage = models.CharField(max_length=12, choices=LifecycleStage)
    cycle = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    rule = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    is_override = models.BooleanField(default=False)
    is_imported = models.BooleanField(default=False)
    woken_at = models.DateTimeField(null=True, blank=True)
    is_woken_by_act = models.BooleanField(default=False, db_default=False)
    model_version = models.PositiveIntegerField(null=True, blank=True)
    fit_score = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    engagement_score = models.DecimalField(max_digits=5, decimal_places=1, null=True, blank=True)
    cell = models.CharField(max_length=2, blank=True)

    objects = StageIntervalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lead", "sequence"], name="stage_sequence_once"),
            models.UniqueConstraint(
                fields=["lead"], condition=Q(ended_at__isnull=True), name="stage_one_open_per_lead"
            ),
            models.CheckConstraint(
                condition=Q(stage__in=LifecycleStage.values), name="stage_interval_stage_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="stage_interval_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(is_override=False) | ~Q(reason=""), name="stage_override_has_reason"
            ),
            ExclusionConstraint(
                name="stage_intervals_do_not_overlap",
                expressions=[
                    ("lead", RangeOperators.EQUAL),
                    (Func("started_at", "ended_at", function="tstzrange"), RangeOperators.OVERLAPS),
                ],
                # The open one begins where the last of these ended: the trigger checks it.
                condition=Q(ended_at__isnull=False),
            ),
        ]
        indexes = [
            # Included, not a key: no plan may look up one lead here by reading the whole index.
            models.Index(fields=["stage", "started_at"], include=["lead"], name="stage_entered"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} from {self.started_at:%Y-%m-%d}"

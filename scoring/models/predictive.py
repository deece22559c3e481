"""Trainings of a predictive score, and what the active one says of each lead."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from leads.models import Lead
from scoring.enums import TrainingState


class PredictiveModelQuerySet(models.QuerySet["PredictiveModel"]):
    """Trained formulas by what is owed."""

    def under_way(self) -> PredictiveModelQuerySet:
        """Return the training that is still to be finished; there is one at most."""
        return self.filter(state__in=(TrainingState.WAITING, TrainingState.RUNNING))

    def active(self) -> PredictiveModelQuerySet:
        """Return the model whose predictions are shown; there is one at most."""
        return self.filter(is_active=True)


class PredictiveModel(models.Model):
    """One training of a predictive score, and the formula that it found.

    ``target`` is ``sql``, ``won`` or the name of an attribute; ``included`` are columns that were
    asked for although they may leak the outcome. ``progress`` counts percents, ``attempts`` how
    often the training was begun: one that was killed begins anew. ``formula`` is what
    ``scoring.predictive.formula`` reads, ``results`` what the page shows of the training. Of the
    active model ``scored_up_to`` is the last lead predicted in the round that began at
    ``round_started_at``, empty between rounds. Written by ``scoring.services``; never changed once
    trained, but for being active.
    """

    target = models.CharField(max_length=60)
    target_label = models.CharField(max_length=100)
    included = models.JSONField(default=list)
    state = models.CharField(max_length=7, choices=TrainingState, default=TrainingState.WAITING)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    results = models.JSONField(null=True)
    formula = models.JSONField(null=True)
    is_active = models.BooleanField(default=False)
    activated_at = models.DateTimeField(null=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    scored_up_to = models.BigIntegerField(null=True)
    round_started_at = models.DateTimeField(null=True)

    objects = PredictiveModelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=TrainingState.values), name="predictive_state_is_known"
            ),
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(state__in=("WAITING", "RUNNING")),
                name="predictive_one_training",
            ),
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="predictive_one_active"
            ),
            models.CheckConstraint(
                condition=~Q(state="TRAINED") | Q(formula__isnull=False, results__isnull=False),
                name="predictive_trained_has_a_formula",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(state="TRAINED"),
                name="predictive_active_is_trained",
            ),
            models.CheckConstraint(
                condition=~Q(state="FAILED") | ~Q(error=""), name="predictive_failure_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"Prediction of {self.target_label}"

    @property
    def is_under_way(self) -> bool:
        """Say whether it is still being trained."""
        return self.state in (TrainingState.WAITING, TrainingState.RUNNING)

    @property
    def is_trained(self) -> bool:
        """Say whether it can predict."""
        return self.state == TrainingState.TRAINED


class LeadPrediction(models.Model):
    """The chance that the active model gave a lead when it was last asked; for lists only.

    ``chance`` is between 0 and 1, ``computed_at`` when it last became another. Nothing decides by
    it. Written by ``scoring.services`` in rounds; all go when another model is shown, or none.
    """

    lead = models.OneToOneField(
        Lead, primary_key=True, on_delete=models.CASCADE, related_name="prediction"
    )
    model = models.ForeignKey(PredictiveModel, on_delete=models.CASCADE, db_index=False)
    chance = models.DecimalField(max_digits=4, decimal_places=3)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(chance__gte=0, chance__lte=1), name="lead_prediction_is_a_chance"
            ),
        ]
        indexes = [
            models.Index(
                F("chance").desc(nulls_last=True), F("lead").desc(), name="lead_prediction_rank"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chance} for lead {self.lead_id}"

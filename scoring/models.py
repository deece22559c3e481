"""Scoring model versions and the stored score of each lead."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from leads.models import Lead
from scoring.enums import ModelState


class ScoringModelQuerySet(models.QuerySet["ScoringModel"]):
    """Model versions by where they stand."""

    def drafts(self) -> ScoringModelQuerySet:
        """Return the versions that can still be changed."""
        return self.filter(state=ModelState.DRAFT)

    def due(self, now: datetime) -> ScoringModelQuerySet:
        """Return the drafts whose time to come into force has arrived."""
        return self.drafts().filter(publish_at__lte=now)


def _somebody_else(field: str) -> Q:
    """Return that nobody approved, or somebody other than the person in ``field``."""
    return Q(approved_by__isnull=True) | Q(**{f"{field}__isnull": True}) | ~Q(approved_by=F(field))


def _together(*fields: str) -> Q:
    """Return that all ``fields`` are set, or none."""
    return Q(*((f"{field}__isnull", True) for field in fields)) | Q(
        *((f"{field}__isnull", False) for field in fields)
    )


class ScoringModel(models.Model):
    """One version of all rules, thresholds and the MQL definition.

    ``definition`` is the document that ``scoring.definition.parse_definition`` reads. Of a draft
    each change makes the next ``revision``; what was said of a revision, an approval or a time to
    publish, is void for the next. Once published a model never changes. A retired one without
    ``published_at`` is a draft that was discarded. ``held_up`` says why a draft did not come into
    force at its time. ``rescored_up_to`` is the last lead whose score was renewed after publishing;
    empty when all were. Written by ``scoring.services``.
    """

    version = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=9, choices=ModelState, default=ModelState.DRAFT)
    definition = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    note = models.CharField(max_length=300, blank=True)
    based_on = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approval_requested_at = models.DateTimeField(null=True, blank=True)
    approval_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_revision = models.PositiveIntegerField(null=True, blank=True)
    publish_at = models.DateTimeField(null=True, blank=True)
    scheduled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    held_up = models.CharField(max_length=500, blank=True, db_default="", default="")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    rescored_up_to = models.BigIntegerField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = ScoringModelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ModelState.values), name="scoring_model_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state=ModelState.PUBLISHED),
                name="scoring_model_one_published",
            ),
            models.CheckConstraint(
                condition=(~Q(state=ModelState.DRAFT) | Q(published_at__isnull=True))
                & (~Q(state=ModelState.PUBLISHED) | Q(published_at__isnull=False))
                & (~Q(state=ModelState.RETIRED) | Q(retired_at__isnull=False)),
                name="scoring_model_in_force_has_a_date",
            ),
            *(
                models.CheckConstraint(
                    condition=_somebody_else(field), name=f"scoring_model_not_by_{role}"
                )
                for field, role in (
                    ("created_by", "its_author"),
                    ("changed_by", "its_editor"),
                    ("approval_requested_by", "who_asked"),
                )
            ),
            models.CheckConstraint(
                condition=_together("approved_by", "approved_at", "approved_revision"),
                name="scoring_model_approval_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(approved_revision__isnull=True) | Q(approved_revision=F("revision")),
                name="scoring_model_approval_of_revision",
            ),
            models.CheckConstraint(
                condition=_together("approval_requested_by", "approval_requested_at"),
                name="scoring_model_request_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(publish_at__isnull=True, scheduled_by__isnull=True)
                | Q(
                    state=ModelState.DRAFT,
                    publish_at__isnull=False,
                    scheduled_by__isnull=False,
                    approved_by__isnull=False,
                ),
                name="scoring_model_scheduled_if_approved",
            ),
        ]

    def __str__(self) -> str:
        return f"Model v{self.version}"

    @property
    def is_draft(self) -> bool:
        """Return whether the document can still be changed."""
        return self.state == ModelState.DRAFT

    @property
    def was_discarded(self) -> bool:
        """Return whether this was a draft that never came into force and never will."""
        return self.state == ModelState.RETIRED and self.published_at is None


class LeadScoreQuerySet(models.QuerySet["LeadScore"]):
    """Stored scores by what is owed."""

    def due(self, now: datetime) -> LeadScoreQuerySet:
        """Return scores to compute again: something happened, or time alone changes them."""
        return self.filter(score_due_at__lte=now)


class LeadScore(models.Model):
    """The score of one lead as last computed: a cache of the log, checked by ``check_scores``.

    Points carry one decimal. ``fit_score`` and ``fit_grade`` are empty while nothing is known of
    the lead ("not evaluated", never 0). ``changes_at`` is the next time at which the whole number
    shown in lists changes on its own, ``drops_out_at`` when the lead so leaves the MQL definition.
    ``score_due_at`` is when to compute next: at once after news, else no later than ``changes_at``.
    ``news_at`` is when Baton last learned something about the lead: an act, an attribute. Written
    by ``scoring.services``, in bulk by SQL.
    """

    lead = models.OneToOneField(
        Lead, primary_key=True, on_delete=models.CASCADE, related_name="score"
    )
    model = models.ForeignKey(ScoringModel, null=True, on_delete=models.PROTECT)
    fit_score = models.DecimalField(max_digits=5, decimal_places=1, null=True)
    fit_grade = models.CharField(max_length=1, blank=True, db_default="")
    persona = models.CharField(max_length=60, blank=True, db_default="")
    engagement_score = models.DecimalField(max_digits=5, decimal_places=1, null=True)
    engagement_level = models.PositiveSmallIntegerField(null=True)
    cell = models.CharField(max_length=2, blank=True, db_default="")
    engagement_week_ago = models.DecimalField(max_digits=5, decimal_places=1, null=True)
    meets_definition = models.BooleanField(db_default=False)
    disqualified_by = models.CharField(max_length=200, blank=True, db_default="")
    computed_at = models.DateTimeField(null=True)
    changes_at = models.DateTimeField(null=True)
    drops_out_at = models.DateTimeField(null=True)
    score_due_at = models.DateTimeField(null=True)
    news_at = models.DateTimeField(null=True)

    objects = LeadScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(engagement_score__isnull=True)
                | Q(engagement_score__gte=0, engagement_score__lte=100),
                name="lead_score_engagement_0_to_100",
            ),
            models.CheckConstraint(
                condition=Q(fit_score__isnull=True) | Q(fit_score__gte=0, fit_score__lte=100),
                name="lead_score_fit_0_to_100",
            ),
        ]
        indexes = [
            models.Index(
                fields=["score_due_at", "lead"],
                condition=Q(score_due_at__isnull=False),
                name="lead_score_due",
            ),
            models.Index(
                F("engagement_score").desc(nulls_last=True),
                F("lead").desc(),
                name="lead_score_rank",
            ),
            models.Index(fields=["cell", "lead"], name="lead_score_cell"),
            models.Index(
                fields=["drops_out_at", "lead"],
                condition=Q(drops_out_at__isnull=False),
                name="lead_score_drops_out",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cell or 'Not evaluated'} for lead {self.lead_id}"

"""Scoring model versions."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from scoring.enums import ModelState


class ScoringModelQuerySet(models.QuerySet["ScoringModel"]):
    """Model versions by where they stand."""

    def drafts(self) -> ScoringModelQuerySet:
        """Return the versions that can still be changed."""
        return self.filter(state=ModelState.DRAFT)

    def published(self) -> ScoringModelQuerySet:
        """Return the one that is in force, none before the first was published."""
        return self.filter(state=ModelState.PUBLISHED)

    def in_force(self) -> ScoringModel | None:
        """Return the model in force, None before the first was published."""
        return self.published().first()

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

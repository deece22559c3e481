"""The stored score of each lead."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from leads.models import Lead
from scoring.models.versions import ScoringModel

#: More events than these and a lead is scored apart from others: a million take seconds.
HEAVY = 20_000


class LeadScoreQuerySet(models.QuerySet["LeadScore"]):
    """Stored scores by what is owed."""

    def due(self, now: datetime) -> LeadScoreQuerySet:
        """Return scores to compute again: something happened, or time alone changes them."""
        return self.filter(score_due_at__lte=now)


class LeadScore(models.Model):
    """The score of one lead as last computed: a cache of the log, checked by ``check_scores``.

    Points carry one decimal. ``fit_score`` and ``fit_grade`` are empty while nothing is known of
    the lead ("not evaluated", never 0). ``changes_at`` is the next time at which the whole number
    shown in lists changes on its own, ``drops_out_at`` when the lead so leaves the MQL definition,
    ``level_changes_at`` when it so comes to another level.
    ``score_due_at`` is when to compute next: at once after news, else no later than ``changes_at``.
    ``news_at`` is when Baton last learned something about the lead: an act, an attribute;
    ``has_news`` says that no sweep has acted on it yet. ``acts`` is how many the score came from;
    of a lead with more than ``HEAVY`` events it is how many events were read, which takes so long
    that others do not wait for it. Written by ``scoring.services``, in bulk by SQL. ``is_open``
    repeats for lists whether the lead is in a stage that scoring may end; a trigger writes it with
    the stage.
    """

    lead = models.OneToOneField(
        Lead, primary_key=True, on_delete=models.CASCADE, related_name="score"
    )
    # No index: all but a few scores are of one model, and each that is written would pay for it.
    model = models.ForeignKey(ScoringModel, null=True, on_delete=models.PROTECT, db_index=False)
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
    level_changes_at = models.DateTimeField(null=True)
    score_due_at = models.DateTimeField(null=True)
    news_at = models.DateTimeField(null=True)
    has_news = models.BooleanField(db_default=False)
    acts = models.PositiveIntegerField(db_default=0)
    is_open = models.BooleanField(db_default=True)

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
                fields=["score_due_at"],
                condition=Q(score_due_at__isnull=False, acts__gt=HEAVY),
                name="lead_score_heavy_due",
            ),
            models.Index(
                F("engagement_score").desc(nulls_last=True),
                F("lead").desc(),
                name="lead_score_rank",
            ),
            models.Index(fields=["cell", "lead"], name="lead_score_cell"),
            models.Index(  # of one lead in eighty; an index of all levels each write would pay for
                fields=["engagement_level", "lead"],
                condition=Q(engagement_level__lte=2),
                name="lead_score_hot",
            ),
            models.Index(
                fields=["lead"],
                condition=Q(engagement_level__lte=2, is_open=True),
                name="lead_score_open_hot",
            ),
            models.Index(
                fields=["lead"],
                condition=Q(is_open=True, meets_definition=True),
                name="lead_score_open_inside",
            ),
            models.Index(
                F("engagement_score").desc(nulls_last=True),
                F("lead").desc(),
                condition=Q(meets_definition=True),
                name="lead_score_meets",
            ),
            models.Index(
                fields=["drops_out_at", "lead"],
                condition=Q(drops_out_at__isnull=False),
                name="lead_score_drops_out",
            ),
            models.Index(
                fields=["level_changes_at", "lead"],
                condition=Q(level_changes_at__isnull=False),
                name="lead_score_level_changes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cell or 'Not evaluated'} for lead {self.lead_id}"

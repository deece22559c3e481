"""Replays of a model over the log, cycle by cycle."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from leads.models import Lead
from scoring.enums import BackTestChange, BackTestState
from scoring.models.versions import ScoringModel


class BackTestQuerySet(models.QuerySet["BackTest"]):
    """Back-tests by what is owed and by what they say."""

    def waiting(self) -> BackTestQuerySet:
        """Return back-tests with work left, the oldest first."""
        return self.filter(state__in=(BackTestState.WAITING, BackTestState.RUNNING)).order_by("id")

    def of_revision(self, model: ScoringModel) -> BackTestQuerySet:
        """Return the back-tests of a model as it is now; a change of it voids what was before."""
        return self.filter(model=model, revision=model.revision)

    def finished_for(self, model: ScoringModel) -> BackTest | None:
        """Return the latest finished back-test of a model as it is now."""
        done = self.of_revision(model).filter(state=BackTestState.DONE)
        return done.order_by("finished_at", "id").last()


class BackTest(models.Model):
    """One replay of a model over the log, beside the model in force then (``former``).

    It covers cycles of leads that were open at some time from ``starts_at`` (included) to
    ``ends_at`` (not included). While it runs it has pieces; ``leads_done`` of ``lead_count`` are
    replayed. ``results`` is what ``scoring.services.backtesting`` sums up at the end. Written by
    ``scoring.services``.
    """

    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="back_tests")
    revision = models.PositiveIntegerField()
    former = models.ForeignKey(
        ScoringModel, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=7, choices=BackTestState, default=BackTestState.WAITING)
    error = models.CharField(max_length=1000, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    lead_count = models.PositiveIntegerField(default=0)
    leads_done = models.PositiveIntegerField(default=0)
    results = models.JSONField(default=dict)

    objects = BackTestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=BackTestState.values), name="back_test_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=BackTestState.FAILED) | ~Q(error=""),
                name="back_test_failure_says_why",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")), name="back_test_covers_some_time"
            ),
            models.UniqueConstraint(
                fields=["model", "revision"],
                condition=Q(state__in=(BackTestState.WAITING, BackTestState.RUNNING)),
                name="back_test_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"Back-test of {self.model}"

    @property
    def is_finished(self) -> bool:
        """Say whether nothing more will happen by itself."""
        return self.state in (BackTestState.DONE, BackTestState.FAILED)


class BackTestPiece(models.Model):
    """Leads that one worker replays in one transaction, by their ids (both included).

    The transaction that writes their cycles also sets ``is_done``, so what a killed worker had
    begun is done by the next. Who works on a piece holds its row.
    """

    back_test = models.ForeignKey(BackTest, on_delete=models.CASCADE, related_name="pieces")
    first_lead = models.BigIntegerField()
    last_lead = models.BigIntegerField()
    lead_count = models.PositiveIntegerField()
    is_done = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(first_lead__lte=F("last_lead")), name="back_test_piece_has_leads"
            ),
        ]

    def __str__(self) -> str:
        return f"Leads {self.first_lead} to {self.last_lead}"


class BackTestCycle(models.Model):
    """One cycle of a lead: what became of it, and when either model would have made it an MQL.

    A cycle goes from the capture, recycling or return of its lead until the next. Of each
    model there is when the lead first met its definition (``*_mql_at``), by what (``*_rule``), and
    the engagement and the sum of fit and engagement when something was last learned of the cycle
    (``*_score``, ``*_rank``; tenths of a point). ``refused_at`` is when sales gave it back, and
    ``refusal`` the code of the reason, if one was named.
    """

    back_test = models.ForeignKey(
        BackTest, on_delete=models.CASCADE, related_name="cycles", db_index=False
    )
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField()
    began_at = models.DateTimeField()
    mql_at = models.DateTimeField(null=True)
    sql_at = models.DateTimeField(null=True)
    won_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=200, blank=True)
    draft_mql_at = models.DateTimeField(null=True)
    draft_rule = models.CharField(max_length=100, blank=True)
    draft_score = models.PositiveSmallIntegerField(null=True)
    draft_rank = models.PositiveSmallIntegerField(null=True)
    former_mql_at = models.DateTimeField(null=True)
    former_rule = models.CharField(max_length=100, blank=True)
    former_score = models.PositiveSmallIntegerField(null=True)
    former_rank = models.PositiveSmallIntegerField(null=True)
    change = models.CharField(max_length=7, choices=BackTestChange)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["back_test", "lead", "number"], name="back_test_cycle_once"
            ),
            models.CheckConstraint(
                condition=Q(change__in=BackTestChange.values), name="back_test_change_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["back_test", "change", "id"], name="back_test_cycle_change"),
        ]

    def __str__(self) -> str:
        return f"Cycle {self.number} of lead {self.lead_id}"

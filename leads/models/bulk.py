"""Work on many leads at once, and what became of each."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.enums import BulkResult, BulkState
from leads.models.lead import Lead


class BulkJobQuerySet(models.QuerySet["BulkJob"]):
    """Jobs by who may see them."""

    def visible_to(self, user: User) -> BulkJobQuerySet:
        """Return what ``user`` ordered; managers and admins see what everybody ordered."""
        return self if user.has_role(Role.MANAGER, Role.ADMIN) else self.filter(created_by=user)


class BulkJob(models.Model):
    """One act on many leads. Written by ``leads.bulk.jobs`` only.

    ``act`` is a registered ``BulkAct`` and ``said`` what it was told. Which leads: those that
    ``query`` lists, as whoever ordered it sees them; of these only ``lead_ids`` unless that is
    null; or those that the job ``undoes`` changed. ``seen_at`` is when the person saw the list.
    ``applied_row`` is the last row whose effect is committed, in the transaction of the effect.
    Rows are kept for a while after the end; then ``row_count`` is all that is left of them.
    """

    act = models.CharField(max_length=30)
    said = models.JSONField(default=dict)
    words = models.CharField(max_length=200)
    query = models.TextField(blank=True)
    lead_ids = ArrayField(models.BigIntegerField(), null=True, blank=True)
    undoes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by"
    )
    state = models.CharField(max_length=8, choices=BulkState, default=BulkState.QUEUED)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    seen_at = models.DateTimeField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    is_staged = models.BooleanField(default=False)
    row_count = models.PositiveIntegerField(default=0)
    applied_row = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)

    objects = BulkJobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=BulkState.values), name="bulk_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=BulkState.FAILED) | ~Q(error=""), name="bulk_failure_says_why"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=(BulkState.QUEUED, BulkState.RUNNING)),
                name="bulk_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def is_finished(self) -> bool:
        """Say whether nothing more will happen by itself."""
        return self.state in (BulkState.DONE, BulkState.FAILED)

    @property
    def is_forgotten(self) -> bool:
        """Say whether what became of its leads is kept no longer."""
        return self.row_count > 0 and not self.is_staged


class BulkRow(models.Model):
    """One lead of a job, and what became of it.

    ``before`` is what the act guards as it was when the job took the lead in, ``after`` as the act
    left it. As with lines of an import, the database does not check ``job`` and ``lead``.
    """

    job = models.ForeignKey(
        BulkJob, on_delete=models.CASCADE, related_name="rows", db_index=False, db_constraint=False
    )
    lead = models.ForeignKey(
        Lead, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    before = models.JSONField(default=dict)
    after = models.JSONField(null=True)
    result = models.CharField(max_length=9, choices=BulkResult, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "lead"], name="bulk_lead_once"),
            models.CheckConstraint(
                condition=Q(result__in=["", *BulkResult.values]), name="bulk_result_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["job", "id"], name="bulk_row_in_order"),
            models.Index(
                fields=["job", "result", "id"], condition=~Q(result=""), name="bulk_row_result"
            ),
        ]

    def __str__(self) -> str:
        return f"Lead {self.lead_id} of job {self.job_id}"

"""Import jobs and their lines."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.accounts.models import User
from leads.enums import ImportKind, ImportState, RowResult
from leads.models.lead import Lead


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """Jobs by what is owed, and who may see them."""

    def visible_to(self, user: User) -> ImportJobQuerySet:
        """Return every job to those who see every lead, and none to others."""
        return self if user.sees_all_leads else self.none()

    def waiting(self) -> ImportJobQuerySet:
        """Return jobs with work left, the oldest first."""
        return self.filter(state__in=(ImportState.QUEUED, ImportState.RUNNING)).order_by("id")


class ImportJob(models.Model):
    """One file being brought in. Written by ``leads.importing.jobs`` only.

    ``applied_line`` is the last line whose effect is committed: the transaction that applies a
    chunk also moves it, so an import that was killed goes on after it. A dry run goes the whole way
    and writes nothing but its results; ``is_dry_run`` falls when the person says "import". Lines
    are kept for a while after the end; then ``line_count`` is all that is left of them.
    """

    kind = models.CharField(max_length=8, choices=ImportKind)
    state = models.CharField(max_length=8, choices=ImportState, default=ImportState.DRAFT)
    filename = models.CharField(max_length=255)
    path = models.CharField(max_length=1000)
    mapping = models.JSONField(default=dict)
    is_dry_run = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    header = models.JSONField(default=list)
    line_count = models.PositiveIntegerField(default=0)
    is_staged = models.BooleanField(default=False)
    applied_line = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values), name="import_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=ImportState.FAILED) | ~Q(error=""),
                name="import_failure_says_why",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=(ImportState.QUEUED, ImportState.RUNNING)),
                name="import_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"Import {self.pk} of {self.filename}"

    @property
    def is_finished(self) -> bool:
        """Say whether nothing more will happen by itself."""
        return self.state in (ImportState.DONE, ImportState.FAILED)

    @property
    def is_forgotten(self) -> bool:
        """Say whether what became of its lines is kept no longer."""
        return self.is_finished and self.line_count > 0 and not self.is_staged

    @property
    def is_draft(self) -> bool:
        """Say whether it waits for its mapping."""
        return self.state == ImportState.DRAFT

    @property
    def takes_mapping(self) -> bool:
        """Say whether a page can change its mapping: nothing runs and nothing is imported.

        Handoffs come in by command only.
        """
        if self.kind == ImportKind.HANDOFFS:
            return False
        was_imported = not self.is_dry_run and self.applied_line > 0
        return self.is_draft or (self.is_finished and not was_imported)

    @property
    def is_checked(self) -> bool:
        """Say whether a dry run is over, so that it can be imported."""
        return self.is_dry_run and self.state == ImportState.DONE


class ImportRow(models.Model):
    """One line of the file as it stood, and what became of it.

    ``key`` is what makes two lines the same; ``problem`` names field and reason of a refusal. The
    database does not check ``job`` and ``lead``: whoever writes lines holds both, and a line whose
    lead was deleted later shows none.
    """

    job = models.ForeignKey(
        ImportJob,
        on_delete=models.CASCADE,
        related_name="rows",
        db_index=False,
        db_constraint=False,
    )
    line = models.PositiveIntegerField()
    key = models.CharField(max_length=254, blank=True)
    cells = models.JSONField()
    result = models.CharField(max_length=9, choices=RowResult, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    lead = models.ForeignKey(
        Lead,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "line"], name="import_line_once"),
        ]
        indexes = [
            # Lines wait in the order of "line"; here stand only those with a result.
            models.Index(
                fields=["job", "result", "line"], condition=~Q(result=""), name="import_row_result"
            ),
        ]

    def __str__(self) -> str:
        return f"Line {self.line} of import {self.job_id}"

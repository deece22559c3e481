"""Lists of who registered for a webinar, came or did not, as other programs export them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.accounts.models import User
from engagement.enums import AttendanceResult, AttendanceStatus, UploadState
from engagement.models.webinars import Webinar
from leads.models import Lead


class AttendanceUploadQuerySet(models.QuerySet["AttendanceUpload"]):
    """Uploads by what is owed to them."""

    def queued(self) -> AttendanceUploadQuerySet:
        """Return those that are to be recorded, the first first."""
        return self.filter(state=UploadState.QUEUED).order_by("id")


class AttendanceUpload(models.Model):
    """One file about one webinar. Checking it writes its rows; recording it, in steps, the acts.

    ``columns`` are the columns of the file by what they hold. Written by
    ``engagement.services.attendance_uploads``.
    """

    webinar = models.ForeignKey(Webinar, on_delete=models.CASCADE, related_name="uploads")
    filename = models.CharField(max_length=255)
    columns = models.JSONField()
    captures_unknown = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=UploadState, default=UploadState.CHECKED)
    error = models.CharField(max_length=300, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(null=True, blank=True)

    objects = AttendanceUploadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=UploadState.values), name="upload_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(recorded_at__isnull=False) | ~Q(state=UploadState.RECORDED),
                name="upload_recorded_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state=UploadState.QUEUED), name="upload_queued"
            ),
        ]

    def __str__(self) -> str:
        return self.filename


class AttendanceRow(models.Model):
    """One line of such a file: what it says, and what became of it.

    ``line`` counts from 1, the header's own line included. ``happened_at`` is when the person
    joined, where the file tells; ``minutes`` how long it stayed. Personal: ``email``, ``name``.
    """

    upload = models.ForeignKey(
        AttendanceUpload, on_delete=models.CASCADE, related_name="rows", db_index=False
    )
    line = models.PositiveIntegerField()
    email = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=AttendanceStatus, blank=True)
    happened_at = models.DateTimeField(null=True, blank=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    result = models.CharField(max_length=8, choices=AttendanceResult)
    reason = models.CharField(max_length=300, blank=True)
    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "line"], name="attendance_line_once"),
            models.CheckConstraint(
                condition=Q(result__in=AttendanceResult.values), name="attendance_result_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}"

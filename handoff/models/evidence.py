"""What sales did, and what it asks to be excused for; both may need a manager's approval."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from handoff.enums import Approval, ExcuseReason, TouchChannel, TouchOutcome
from handoff.models.clock import Clock
from handoff.models.handoff import Handoff


class Touch(models.Model):
    """Evidence that sales acted.

    ``occurred_at`` is when it happened, ``recorded_at`` when it was written down. A touch written
    long after it happened is marked and counts for a deadline only once a manager, not the one who
    wrote it down, approves it.
    """

    handoff = models.ForeignKey(
        Handoff, on_delete=models.CASCADE, related_name="touches", db_index=False
    )
    rep = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=7, choices=TouchChannel)
    outcome = models.CharField(max_length=12, choices=TouchOutcome)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    is_backdated = models.BooleanField(default=False)
    approval = models.CharField(
        max_length=7, choices=Approval, blank=True, default="", db_default=""
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(occurred_at__lte=F("recorded_at")), name="touch_not_in_the_future"
            ),
            models.CheckConstraint(
                condition=Q(is_backdated=False, approval="")
                | Q(is_backdated=True, approval__in=Approval.values),
                name="touch_backdated_needs_approval",
            ),
            models.CheckConstraint(
                condition=Q(approval__in=["", Approval.PENDING], decided_at__isnull=True)
                | Q(approval__in=["GRANTED", "REFUSED"], decided_at__isnull=False),
                name="touch_decided_when_approval_says_so",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("rep")),
                name="touch_approved_by_another",
            ),
        ]
        indexes = [
            models.Index(fields=["handoff", "-occurred_at", "-id"], name="touch_newest_first"),
            models.Index(
                fields=["recorded_at"],
                condition=Q(approval=Approval.PENDING),
                name="touch_to_approve",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.outcome}, handoff {self.handoff_id}"


class Excuse(models.Model):
    """Why a missed deadline shall not count against anybody, and what a manager said to it.

    The stretch from ``started_at`` to ``ended_at``, half-open, is what the reason explains. The
    breach stays recorded in any case; a granted excuse lets it count apart.
    """

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="excuses")
    reason = models.CharField(max_length=20, choices=ExcuseReason)
    note = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    approval = models.CharField(max_length=7, choices=Approval, default=Approval.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clock"],
                condition=~Q(approval=Approval.REFUSED),
                name="excuse_one_that_stands",
            ),
            models.CheckConstraint(
                condition=Q(started_at__lt=F("ended_at"), ended_at__lte=F("asked_at")),
                name="excuse_of_the_past",
            ),
            models.CheckConstraint(
                condition=Q(approval=Approval.PENDING, decided_at__isnull=True)
                | Q(approval__in=["GRANTED", "REFUSED"], decided_at__isnull=False),
                name="excuse_decided_when_approval_says_so",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="excuse_granted_by_another",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=Q(approval=Approval.PENDING),
                name="excuse_to_decide",
            ),
        ]

    def __str__(self) -> str:
        return f"Excuse of clock {self.clock_id}"

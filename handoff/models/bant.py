"""What the salesperson learnt: the four answers and the verdict."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from handoff.answer_lines import field_values
from handoff.enums import BantAnswer, DisqualifyReason, RecycleReason, Verdict, WakeOn
from handoff.models.handoff import Handoff


class BantAssessment(models.Model):
    """The BANT form of one handoff: a draft until ``submitted_at``, then final.

    ``lines`` holds one line for each question of its ``framework``, in order, as
    ``handoff.answer_lines`` writes them: label, answer, detail, note and, where a form had answered
    before the call, its source.
    ``saved_by`` is empty while it holds nothing but what forms told before the handoff.
    """

    handoff = models.OneToOneField(
        Handoff, primary_key=True, on_delete=models.CASCADE, related_name="bant"
    )
    framework = models.CharField(max_length=20, default="BANT")
    lines = models.JSONField(default=list)
    proposed_verdict = models.CharField(max_length=10, choices=Verdict, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True)
    override_reason = models.CharField(max_length=300, blank=True)
    next_step = models.CharField(max_length=200, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)
    recycle_reason = models.CharField(max_length=20, choices=RecycleReason, blank=True)
    wake_date = models.DateField(null=True, blank=True)
    wake_on = models.CharField(max_length=4, choices=WakeOn, blank=True)
    disqualify_reason = models.CharField(max_length=20, choices=DisqualifyReason, blank=True)
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["disqualify_reason"],
                condition=Q(verdict=Verdict.DISQUALIFY, submitted_at__isnull=False),
                name="bant_by_disqualify_reason",
            ),
            models.Index(
                fields=["recycle_reason"],
                condition=Q(verdict=Verdict.RECYCLE, submitted_at__isnull=False),
                name="bant_by_recycle_reason",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True) | ~Q(verdict=""),
                name="bant_submitted_has_verdict",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True) | Q(saved_by__isnull=False),
                name="bant_submitted_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True)
                | ~Q(verdict=Verdict.SQL)
                | (~Q(next_step="") & Q(next_step_at__isnull=False)),
                name="bant_sql_has_next_step",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True)
                | ~Q(verdict=Verdict.RECYCLE)
                | (~Q(recycle_reason="") & Q(wake_date__isnull=False)),
                name="bant_recycle_has_reason_and_wake_up",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True)
                | ~Q(verdict=Verdict.DISQUALIFY)
                | ~Q(disqualify_reason=""),
                name="bant_disqualify_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"BANT of handoff {self.handoff_id}"

    @property
    def answers(self) -> dict[str, BantAnswer]:
        """Return the answers by question, in the order asked."""
        return {line["question"]: BantAnswer(line["answer"]) for line in self.lines}

    @property
    def labels(self) -> list[str]:
        """Return what the questions are called, in the order asked."""
        return [line["label"] for line in self.lines]

    @property
    def values(self) -> dict[str, str]:
        """Return answers, details and notes under the names that the form gives them."""
        return field_values(self.lines)

"""What the salesperson learnt: the four answers and the verdict."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from handoff.bant import QUESTIONS
from handoff.enums import BantAnswer, DisqualifyReason, RecycleReason, Verdict
from handoff.models.handoff import Handoff


def _answer() -> models.CharField[str, str]:
    """Return the column of one of the four answers."""
    return models.CharField(max_length=9, choices=BantAnswer, default=BantAnswer.NOT_ASKED)


class BantAssessment(models.Model):
    """The BANT form of one handoff: a draft until ``submitted_at``, then final.

    ``sources`` names per question where a prefilled answer came from (``{"budget": "Trial"}``).
    ``saved_by`` is empty while it holds nothing but what forms told before the handoff.
    """

    handoff = models.OneToOneField(
        Handoff, primary_key=True, on_delete=models.CASCADE, related_name="bant"
    )
    budget = _answer()
    budget_detail = models.CharField(max_length=200, blank=True)
    budget_note = models.TextField(max_length=2000, blank=True)
    authority = _answer()
    authority_detail = models.CharField(max_length=200, blank=True)
    authority_note = models.TextField(max_length=2000, blank=True)
    need = _answer()
    need_detail = models.CharField(max_length=200, blank=True)
    need_note = models.TextField(max_length=2000, blank=True)
    timeline = _answer()
    timeline_detail = models.CharField(max_length=200, blank=True)
    timeline_note = models.TextField(max_length=2000, blank=True)
    sources = models.JSONField(default=dict, blank=True)

    proposed_verdict = models.CharField(max_length=10, choices=Verdict, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True)
    override_reason = models.CharField(max_length=300, blank=True)
    next_step = models.CharField(max_length=200, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)
    recycle_reason = models.CharField(max_length=20, choices=RecycleReason, blank=True)
    wake_date = models.DateField(null=True, blank=True)
    disqualify_reason = models.CharField(max_length=20, choices=DisqualifyReason, blank=True)
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
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
        """Return the four answers by question, in the order of the name."""
        return {question: BantAnswer(getattr(self, question)) for question in QUESTIONS}

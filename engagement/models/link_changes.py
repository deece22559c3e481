"""What became of identifications after they were made."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.accounts.models import User
from engagement.enums import LinkAct, LinkReason
from engagement.models.visitors import VisitorLink


class LinkChange(models.Model):
    """That a claim was proven, or that somebody detached an identification or restored it.

    A proof has its ``reason``. ``words`` are the evidence, or why ``actor`` did it; no actor means
    a rule. Append-only, written by ``engagement.services``.
    """

    link = models.ForeignKey(VisitorLink, on_delete=models.CASCADE, related_name="changes")
    act = models.CharField(max_length=8, choices=LinkAct)
    at = models.DateTimeField()
    reason = models.CharField(max_length=12, choices=LinkReason, blank=True)
    words = models.CharField(max_length=300, blank=True)
    actor = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(act__in=LinkAct.values), name="link_change_act_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.link}: {self.get_act_display()}"

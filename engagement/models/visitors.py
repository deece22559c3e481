"""Visitors, and the identifications that link them to leads."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from engagement.enums import LinkReason
from leads.models import Lead


class Visitor(models.Model):
    """Somebody seen before we knew who it was, and the lead it turned out to be.

    ``name`` is the random id that a browser or device sends; or, when ``source`` is given, the id
    that this source has for one of its users. ``lead`` and ``link`` follow the last identification
    that was proven, ``identified_at`` says when; events that already belong to a lead stay with it.
    ``claim`` is the unproven identification under which it acts now, if there is one. Written by
    ``engagement.services``.
    """

    source = models.CharField(max_length=50, blank=True)
    name = models.CharField(max_length=200)
    lead = models.ForeignKey(
        Lead,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="visitors",
        db_index=False,
    )
    link = models.ForeignKey(
        "engagement.VisitorLink",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    claim = models.ForeignKey(
        "engagement.VisitorLink",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    identified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="visitor_once"),
        ]
        indexes = [
            # Most visitors stay strangers: these hold only the others.
            *(
                models.Index(
                    fields=[name],
                    condition=Q(**{f"{name}__isnull": False}),
                    name=f"visitor_by_{name}",
                )
                for name in ("lead", "link", "claim")
            ),
            models.Index(
                fields=["first_seen_at"],
                condition=Q(source=""),
                include=["lead"],
                name="visitor_first_seen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.name}" if self.source else self.name


class VisitorLink(models.Model):
    """One identification: that a visitor was a lead, why we think so, and since when.

    While ``proven_at`` is empty it is a mere claim: what the visitor does under it belongs to
    nobody. ``detached_at`` ends it and gives back what it had attached; events remember the link
    that attached them, so that detaching restores exactly what was there before. ``evidence`` says
    in words what the reason rests on; what became of the link later is told by ``LinkChange``.
    Written by ``engagement.services``.
    """

    visitor = models.ForeignKey(
        Visitor, on_delete=models.CASCADE, related_name="links", db_index=False
    )
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="visitor_links")
    reason = models.CharField(max_length=12, choices=LinkReason)
    evidence = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    proven_at = models.DateTimeField(null=True, blank=True)
    detached_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=LinkReason.values), name="link_reason_is_known"
            ),
        ]
        indexes = [models.Index(fields=["visitor", "-made_at"], name="link_of_visitor")]

    def __str__(self) -> str:
        return f"{self.visitor} is lead {self.lead_id}"

    @property
    def holds(self) -> bool:
        """Say whether it is proven and nobody detached it."""
        return bool(self.proven_at and not self.detached_at)

    @property
    def is_open_claim(self) -> bool:
        """Say whether it waits for a proof, or for somebody to dismiss it."""
        return not (self.proven_at or self.detached_at)

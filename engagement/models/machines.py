"""What tells people and machines apart: the programs that sent, and what people decided."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.accounts.models import User
from engagement.enums import Actor


class Agent(models.Model):
    """A User-Agent that events were sent with, once; its id follows from the name.

    Kept so that events can be classified again when more robots are known. Written after the
    events that name it, by ``engagement.services.judging``.
    """

    id = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=500)

    def __str__(self) -> str:
        return self.name


class ActorDecision(models.Model):
    """That a person said who caused an event, and what rules had made of it before.

    While it stands no rule changes the event; withdrawing it restores what was before. ``event_id``
    and ``occurred_at`` name the event, whose partition the database finds by its time.
    """

    event_id = models.UUIDField(unique=True)
    occurred_at = models.DateTimeField()
    actor = models.CharField(max_length=7, choices=Actor)
    was_actor = models.CharField(max_length=7, choices=Actor)
    was_reason = models.CharField(max_length=100, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(actor__in=(Actor.HUMAN, Actor.MACHINE)), name="decision_is_clear"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} is {self.actor}"


class ActorChange(models.Model):
    """That an event was held for another actor's until ``changed_at``. Append-only.

    By these a past score is explained with what was thought then. What neighbouring clicks show
    within a minute is no change: it was a machine's from the start. Written by
    ``engagement.services.actors`` and ``reclassification``.
    """

    event_id = models.UUIDField()
    was_actor = models.CharField(max_length=7, choices=Actor)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(was_actor__in=Actor.values), name="actor_change_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["event_id", "changed_at", "id"], name="actor_change_of_event"),
            models.Index(fields=["changed_at"], name="actor_change_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} was {self.was_actor}"

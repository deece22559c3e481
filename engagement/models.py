"""Assets, visitors, the intake inbox and the partitioned event log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from engagement.enums import Actor, AssetKind, ClockFault, EventKind, FunnelStage
from leads.models import Lead


class Asset(models.Model):
    """A piece of content or a page. ``path`` is the URL path that shows or delivers it."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    kind = models.CharField(max_length=12, choices=AssetKind, default=AssetKind.PAGE)
    funnel_stage = models.CharField(max_length=4, choices=FunnelStage)
    path = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(funnel_stage__in=FunnelStage.values), name="asset_stage_is_known"
            ),
            models.UniqueConstraint(
                fields=["path"], condition=~Q(path=""), name="asset_one_per_path"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Visitor(models.Model):
    """Somebody seen before we knew who it was, and the lead it turned out to be.

    ``name`` is the random id that a browser or device sends; or, when ``source`` is given, the id
    that this source has for one of its users. The link follows the last identification; events
    that already belong to a lead stay with it. Written by ``engagement.services``.
    """

    source = models.CharField(max_length=50, blank=True)
    name = models.CharField(max_length=200)
    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="visitors"
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    identified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="visitor_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.name}" if self.source else self.name


class InboxMessage(models.Model):
    """One message as it arrived, durable before it was acknowledged; ``absorb`` deletes it.

    A message that cannot be absorbed stays, with ``error`` and no ``due_at``.
    """

    source = models.CharField(max_length=50)
    message_id = models.CharField(max_length=200)
    body = models.JSONField()
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "engagement_inbox"
        indexes = [
            models.Index(
                fields=["due_at", "id"], condition=Q(due_at__isnull=False), name="inbox_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.message_id}"


class EventKey(models.Model):
    """The message ids ever absorbed, one row each: what makes a resend the same event.

    A table of its own because a unique index on a partitioned table must contain the partition key.
    """

    pk = models.CompositePrimaryKey("source", "message_id")
    source = models.CharField(max_length=50)
    message_id = models.CharField(max_length=200)
    event_id = models.UUIDField()

    class Meta:
        db_table = "engagement_event_key"

    def __str__(self) -> str:
        return f"{self.source}:{self.message_id}"


#: A column of the log: no constraint and no index of its own; ``0002_event_log`` says why.
_POINTER: dict[str, Any] = {
    "null": True,
    "on_delete": models.PROTECT,
    "related_name": "events",
    "db_index": False,
    "db_constraint": False,
}


class EventQuerySet(models.QuerySet["Event"]):
    """Events by time and by who caused them."""

    def human(self) -> EventQuerySet:
        """Return the events that may score."""
        return self.filter(actor=Actor.HUMAN)

    def before(self, moment: datetime) -> EventQuerySet:
        """Return events that happened before ``moment``."""
        return self.filter(occurred_at__lt=moment)


class Event(models.Model):
    """One thing a lead or visitor did at a time. Append-only, partitioned by month.

    A trigger refuses deletes and any change but ``lead`` (whom it belongs to) and ``actor`` with
    ``actor_reason`` (who caused it). ``occurred_at`` is true time, ``received_at`` when the server
    had it; ``clock_fault`` says why the time the client told was not believed. ``id`` is made by
    ``engagement.event_ids``. Written by ``engagement.services`` only.
    """

    pk = models.CompositePrimaryKey("occurred_at", "id")
    id = models.UUIDField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    lead = models.ForeignKey(Lead, **_POINTER)
    visitor = models.ForeignKey(Visitor, **_POINTER)
    asset = models.ForeignKey(Asset, **_POINTER)
    kind = models.CharField(max_length=20, choices=EventKind)
    name = models.CharField(max_length=200, blank=True)
    funnel_stage = models.CharField(max_length=4, choices=FunnelStage, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    properties = models.JSONField(default=dict)
    actor = models.CharField(max_length=7, choices=Actor, default=Actor.HUMAN)
    actor_reason = models.CharField(max_length=100, blank=True)
    clock_fault = models.CharField(max_length=6, choices=ClockFault, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        db_table = "engagement_event"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=EventKind.values), name="event_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(actor__in=Actor.values), name="event_actor_is_known"
            ),
            models.CheckConstraint(
                condition=Q(occurred_at__lte=F("received_at")), name="event_not_in_the_future"
            ),
        ]
        indexes = [
            BrinIndex(fields=["occurred_at"], name="event_by_time"),
            models.Index(
                fields=["lead", "occurred_at"],
                condition=Q(lead__isnull=False),
                name="event_of_lead",
            ),
            models.Index(
                fields=["visitor", "occurred_at"],
                condition=Q(lead__isnull=True),
                name="event_of_stranger",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.occurred_at:%Y-%m-%d %H:%M}"

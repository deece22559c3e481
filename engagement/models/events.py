"""The partitioned event log, and the names of the messages that were absorbed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from engagement.enums import Actor, ClockFault, EventKind, FunnelStage
from engagement.models.assets import Asset
from engagement.models.machines import Agent
from engagement.models.visitors import Visitor, VisitorLink
from leads.models import Lead


class EventKey(models.Model):
    """The message ids ever absorbed, one row each: what makes a resend the same event.

    A table of its own because a unique index on a partitioned table must contain the partition key.
    Ids of events follow time, so that its index finds the last events of a source.
    """

    pk = models.CompositePrimaryKey("source", "message_id")
    source = models.CharField(max_length=50)
    message_id = models.CharField(max_length=200)
    event_id = models.UUIDField()

    class Meta:
        db_table = "engagement_event_key"
        indexes = [models.Index(fields=["source", "event_id"], name="event_key_by_time")]

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


#: What people do on purpose, a fifth of a log: an index finds who ever did. Views, reads and clicks
#: are most of a log, and most leads have some.
_DELIBERATE = [
    EventKind.DOWNLOAD,
    EventKind.FORM_SUBMIT,
    EventKind.NEWSLETTER_SIGNUP,
    EventKind.WEBINAR_REGISTERED,
    EventKind.WEBINAR_ATTENDED,
    EventKind.WEBINAR_NO_SHOW,
    EventKind.UNSUBSCRIBE,
    EventKind.DEMO_REQUEST,
    EventKind.TRIAL_START,
    EventKind.CONSULTATION_REQUEST,
    EventKind.PRICING_REQUEST,
    EventKind.PROMOTION_ACCEPTED,
]


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

    A trigger refuses deletes and any change but ``lead`` with ``link`` and ``merged_from`` (whom it
    belongs to, by which identification, and whose it was before leads were merged) and ``actor``
    with ``actor_reason`` (who caused it). ``occurred_at`` is
    true time, ``received_at`` when the server had it; ``clock_fault`` says why the time the client
    told was not believed. ``touch`` is what brought the visitor, when the event is an arrival:
    ``source``, ``medium``, ``campaign``, ``referrer``. ``agent`` is the program that sent it, when
    the sender was a browser. ``id`` is made by ``engagement.event_ids``.
    Written by ``engagement.services`` only.
    """

    pk = models.CompositePrimaryKey("occurred_at", "id")
    id = models.UUIDField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    lead = models.ForeignKey(Lead, **_POINTER)
    visitor = models.ForeignKey(Visitor, **_POINTER)
    link = models.ForeignKey(VisitorLink, **_POINTER)
    merged_from = models.BigIntegerField(null=True)
    asset = models.ForeignKey(Asset, **_POINTER)
    agent = models.ForeignKey(Agent, **_POINTER)
    kind = models.CharField(max_length=20, choices=EventKind)
    name = models.CharField(max_length=200, blank=True)
    funnel_stage = models.CharField(max_length=4, choices=FunnelStage, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    properties = models.JSONField(default=dict)
    actor = models.CharField(max_length=7, choices=Actor, default=Actor.HUMAN)
    actor_reason = models.CharField(max_length=100, blank=True)
    clock_fault = models.CharField(max_length=6, choices=ClockFault, blank=True)
    touch = models.JSONField(default=dict)

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
            # What scoring asks of an act is in it: a lead's acts lie scattered over the whole log.
            models.Index(
                fields=["lead", "occurred_at"],
                include=["received_at", "kind", "actor", "funnel_stage", "asset"],
                condition=Q(lead__isnull=False),
                name="event_acts_of_lead",
            ),
            models.Index(
                fields=["kind", "lead", "occurred_at"],
                condition=Q(lead__isnull=False, actor=Actor.HUMAN, kind__in=_DELIBERATE),
                name="event_of_kind",
            ),
            models.Index(
                fields=["name", "lead", "occurred_at"],
                condition=Q(lead__isnull=False, actor=Actor.HUMAN, kind=EventKind.CUSTOM),
                name="event_of_name",
            ),
            models.Index(
                fields=["visitor", "occurred_at"],
                condition=Q(lead__isnull=True),
                name="event_of_stranger",
            ),
            models.Index(
                fields=["asset", "lead", "occurred_at"],
                include=["kind"],
                condition=Q(asset__isnull=False, lead__isnull=False, actor=Actor.HUMAN),
                name="event_of_asset",
            ),
            models.Index(
                KeyTextTransform("offer", "properties"),
                "lead",
                "occurred_at",
                condition=Q(properties__has_key="offer"),
                name="event_of_offer",
            ),
            models.Index(
                fields=["merged_from", "occurred_at"],
                condition=Q(merged_from__isnull=False),
                name="event_merged",
            ),
            models.Index(
                fields=["-occurred_at", "-id"],
                include=["actor_reason"],
                condition=~Q(actor=Actor.HUMAN),
                name="event_of_no_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.occurred_at:%Y-%m-%d %H:%M}"

"""The outbox, in-app notifications and the heartbeats of the loops."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.accounts.enums import NewsKind
from crm.common.enums import OutboxState


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    """Messages by what is owed."""

    def due(self, now: datetime) -> OutboxQuerySet:
        """Return messages whose delivery is owed at ``now``."""
        return self.filter(state=OutboxState.PENDING, deliver_at__lte=now)

    def needing_a_person(self) -> OutboxQuerySet:
        """Return messages nobody will try again by themselves: given up, or perhaps sent."""
        return self.filter(state__in=[OutboxState.DEAD, OutboxState.UNCERTAIN])


class OutboxMessage(models.Model):
    """One effect on the outside, written in the transaction of its cause; see ``common.outbox``.

    ``key`` is the natural key of the effect (``alert:breach:17:first_touch:4``): writing it twice
    is one message. Of the messages of one ``topic`` only the newest is still worth sending.
    ``deliver_at`` is when the next attempt is owed; an attempt moves it before it begins.
    """

    key = models.CharField(max_length=200)
    channel = models.CharField(max_length=20)
    topic = models.CharField(max_length=200, blank=True)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=OutboxState, default=OutboxState.PENDING)
    created_at = models.DateTimeField()
    deliver_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="outbox_key_once"),
            models.CheckConstraint(
                condition=Q(state__in=OutboxState.values), name="outbox_state_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["deliver_at", "id"],
                condition=Q(state=OutboxState.PENDING),
                name="outbox_due",
            ),
            models.Index(
                fields=["topic"],
                condition=Q(state=OutboxState.PENDING) & ~Q(topic=""),
                name="outbox_topic_waiting",
            ),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(state__in=[OutboxState.DEAD, OutboxState.UNCERTAIN]),
                name="outbox_needs_a_person",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notifications by state."""

    def unread(self) -> NotificationQuerySet:
        """Return notifications that their recipient has not opened."""
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """One line under the bell of one person; written by ``common.notifications.notify``."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="notifications",
        db_index=False,
    )
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    body = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=500, blank=True)
    icon = models.CharField(max_length=40, default="bell")
    kind = models.CharField(
        max_length=8, choices=NewsKind, default=NewsKind.OTHER, db_default=NewsKind.OTHER
    )
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "key"], name="notification_once_per_recipient"
            ),
        ]
        indexes = [
            models.Index(
                fields=["recipient", "-created_at", "-id"], name="notification_newest_first"
            ),
            models.Index(
                fields=["recipient"], condition=Q(read_at__isnull=True), name="notification_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Heartbeat(models.Model):
    """Work done by one loop: health is read from here, not from a process list."""

    loop = models.CharField(max_length=40, primary_key=True)
    succeeded_at = models.DateTimeField()
    oldest_due_at = models.DateTimeField(null=True, blank=True)
    backlog = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.loop


class SentForm(models.Model):
    """One form that has done its work; written by ``common.once.act_once``.

    ``key`` is a digest of who sent what, with which token. ``made_id`` is the row that it made;
    zero only inside the transaction that makes it.
    """

    key = models.CharField(max_length=64, primary_key=True)
    made_id = models.BigIntegerField(default=0)
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key

"""Who may send messages, and the messages as they arrived."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q

from crm.accounts.models import User
from engagement.enums import RESERVED_SOURCES, SourceKind


class Source(models.Model):
    """A site or a server that sends messages, and the key it sends them with.

    ``name`` is what visitors and messages carry as their source. The key of a website can be read
    by everybody, so what it says of people is a claim; that of a server is secret and believed.
    ``allowed_origins`` are the origins a browser may send from, all when empty. ``rate_limit`` and
    ``address_rate_limit`` are messages a second, of the whole key and of one address. Without
    ``asks_consent`` the tracker starts at once, else when the visitor consents.
    """

    name = models.SlugField(max_length=50, unique=True)
    label = models.CharField(max_length=100)
    kind = models.CharField(max_length=7, choices=SourceKind, default=SourceKind.WEBSITE)
    write_key = models.CharField(max_length=40, unique=True)
    allowed_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    rate_limit = models.PositiveIntegerField(default=1000)
    address_rate_limit = models.PositiveIntegerField(default=50)
    asks_consent = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    last_received_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=SourceKind.values), name="source_kind_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(name__in=RESERVED_SOURCES), name="source_is_not_ourselves"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class RefusalCount(models.Model):
    """How many requests and messages of one day the collector refused for one reason.

    ``source`` is a source's name, empty when no key said whose they were; ``code`` is what their
    sender was told. Counted by the collector, a few seconds late; ``last_at`` is the latest.
    """

    day = models.DateField()
    source = models.CharField(max_length=50, blank=True)
    code = models.CharField(max_length=30)
    count = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "day", "code"], name="refusal_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.count} x {self.code} of {self.source or 'nobody'} on {self.day}"


class JsonText(models.JSONField):
    """JSON kept as the text it came as: nothing asks into it, so PostgreSQL takes nothing apart."""

    def db_type(self, *_: object, **__: object) -> str:
        """Return the type of the column."""
        return "text"

    def get_db_prep_value(self, value: Any, *_: object, **__: object) -> str:
        """Return the text to store."""
        return json.dumps(value)


#: Processes that absorb side by side without waiting for each other. Our choice: as many as ``up``
#: runs. More take a change of the column.
LANES = 2


class InboxMessage(models.Model):
    """One message as it arrived, durable before it was acknowledged; ``absorb`` deletes it.

    ``meta`` is what the request told beside the body: ``address``, ``agent`` (the User-Agent) and
    ``purpose`` (Sec-Purpose), each as far as it is known. A message that cannot be absorbed stays,
    with ``error``, without ``due_at`` and address. ``lane`` is the same for messages that were sent
    under the same circumstances, and so for those of a browser.
    """

    source = models.CharField(max_length=50)
    message_id = models.CharField(max_length=200)
    body = JsonText()
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    meta = JsonText(default=dict)
    due_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    lane = models.GeneratedField(
        expression=Func(F("meta"), function="hashtext", output_field=models.IntegerField()).bitand(
            LANES - 1
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )

    class Meta:
        db_table = "engagement_inbox"
        indexes = [
            models.Index(
                fields=["lane", "due_at", "id"],
                condition=Q(due_at__isnull=False),
                name="inbox_due_in_lane",
            ),
            models.Index(fields=["source", "-id"], condition=Q(due_at=None), name="inbox_refused"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.message_id}"

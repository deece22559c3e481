"""Tell people: a line under the bell, and a mail for those who want it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from crm.accounts.models import User
from crm.common import outbox
from crm.common.models import Notification

ALERT = "alert"
LONGEST_TITLE = 200
LONGEST_BODY = 500


@transaction.atomic
def notify(
    *,
    recipients: Iterable[User],
    key: str,
    title: str,
    now: datetime,
    body: str = "",
    url: str = "",
    icon: str = "bell",
    topic: str = "",
) -> int:
    """Tell each of ``recipients`` once; the same ``key`` again tells nobody anything.

    People who have left are not told. Title and body are cut where they are too long to show.

    Args:
        recipients: who is told; the same person twice is told once.
        key: natural key of the news, such as ``breach:17:first_touch``.
        title: one line.
        now: time of the cause.
        body: one more sentence.
        url: path of the page that it is about.
        icon: name of a Lucide icon.
        topic: what it is about, such as ``handoff:17``; of the mails of one topic that still wait
            only the newest is sent.

    Returns:
        How many people were told.
    """
    people = {user.pk: user for user in recipients if user.is_active}
    lines = _insert_lines(
        list(people), [key, title[:LONGEST_TITLE], body[:LONGEST_BODY], url, icon, now]
    )
    for line_id, recipient_id in lines:
        if people[recipient_id].wants_mail:
            outbox.enqueue(
                key=f"alert:{key}:{recipient_id}",
                channel=ALERT,
                payload={"notification": line_id},
                now=now,
                topic=topic and f"{topic}:{recipient_id}",
            )
    return len(lines)


def mark_read(*, user: User, now: datetime, notification_id: int | None = None) -> int:
    """Mark one notification of ``user`` as read, or all without an id; return how many were new."""
    unread = Notification.objects.unread().filter(recipient=user)
    if notification_id is not None:
        unread = unread.filter(pk=notification_id)
    return unread.update(read_at=now)


def _insert_lines(recipient_ids: list[int], values: list[Any]) -> list[tuple[int, int]]:
    """Insert a line for each who has none of this key; return id and recipient of the new ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO common_notification"
            " (recipient_id, key, title, body, url, icon, created_at)"
            " SELECT person, %s, %s, %s, %s, %s, %s FROM unnest(%s::bigint[]) AS person"
            " ON CONFLICT (recipient_id, key) DO NOTHING RETURNING id, recipient_id",
            [*values, recipient_ids],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]

"""Tell people: a line under the bell, and mail and webhook calls for those who want them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from crm.accounts.enums import MailWhen, NewsKind
from crm.accounts.models import User
from crm.common import outbox
from crm.common.models import Notification
from crm.common.registry import Registry

ALERT = "alert"
DIGEST = "digest"
HOOK = "hook"
DIGEST_AT = time(8)  # in the zone of the person
LONGEST_TITLE = 200
LONGEST_BODY = 500


@dataclass(frozen=True)
class News:
    """One thing to tell some people.

    Attributes:
        recipients: Who is told; the same person twice is told once, people who have left are not.
        key: Natural key of the news, such as ``breach:17:first_touch``.
        title: One line; cut where it is too long to show.
        body: One more sentence, cut likewise.
        url: Path of the page that it is about.
        icon: Name of a Lucide icon.
        kind: What sort of news it is; people choose by it how they hear of it.
        topic: What it is about, such as ``handoff:17``; of the mails of one topic that still wait
            only the newest is sent.
    """

    recipients: Iterable[User]
    key: str
    title: str
    body: str = ""
    url: str = ""
    icon: str = "bell"
    kind: NewsKind = NewsKind.OTHER
    topic: str = ""


@dataclass(frozen=True)
class WorkingHours:
    """Who knows when people are at work; an upper floor registers it.

    ``opens_at`` returns, by the id of each person who is not at work, when they are again.
    """

    name: str
    order: int
    opens_at: Callable[[Sequence[User], datetime], Mapping[int, datetime]]


working_hours: Registry[WorkingHours] = Registry("working hours")


def notify(
    *,
    recipients: Iterable[User],
    key: str,
    title: str,
    now: datetime,
    body: str = "",
    url: str = "",
    icon: str = "bell",
    kind: NewsKind = NewsKind.OTHER,
    topic: str = "",
) -> int:
    """Tell each of ``recipients`` once; the same ``key`` again tells nobody anything.

    The arguments are those of ``News``, and ``now`` the time of the cause.

    Returns:
        How many people were told.
    """
    news = News(recipients, key, title, body=body, url=url, icon=icon, kind=kind, topic=topic)
    return notify_all([news], now=now)


@transaction.atomic(savepoint=False)
def notify_all(news: Iterable[News], *, now: datetime) -> int:
    """Tell many things at the price of one; for sweeps.

    Returns:
        How many lines appeared under people's bells.
    """
    wanted = {
        (person.pk, item.key): (person, item)
        for item in news
        for person in item.recipients
        if person.is_active
    }
    new_ids = _insert_lines([wanted[place] for place in sorted(wanted)], now)
    told = {place: each for place, each in wanted.items() if place in new_ids}
    quiet = _quiet_until([person for person, _ in told.values() if person.only_at_work], now)
    effects = [
        message
        for place, (person, item) in told.items()
        for message in _effects(new_ids[place], person, item, quiet.get(person.pk), now)
    ]
    outbox.enqueue_all(effects, now=now)
    return len(new_ids)


def mark_read(*, user: User, now: datetime, notification_id: int | None = None) -> int:
    """Mark one notification of ``user`` as read, or all without an id; return how many were new."""
    unread = Notification.objects.unread().filter(recipient=user)
    if notification_id is not None:
        unread = unread.filter(pk=notification_id)
    return unread.update(read_at=now)


def _quiet_until(people: Sequence[User], now: datetime) -> dict[int, datetime]:
    """Return when those may be disturbed who are not at work."""
    found: dict[int, datetime] = {}
    for hours in working_hours if people else ():
        found |= hours.opens_at(people, now)
    return found


def _effects(
    line_id: int, person: User, news: News, opens_at: datetime | None, now: datetime
) -> Iterator[outbox.Message]:
    """Yield what goes out with a line; it is written when the line is, and only then."""
    topic = news.topic and f"{news.topic}:{person.pk}"
    if person.gets_mail(news.kind, MailWhen.DAILY):
        yield _digest(person, opens_at, now)
    elif person.gets_mail(news.kind, MailWhen.AT_ONCE):
        yield outbox.Message(
            key=f"alert:{news.key}:{person.pk}",
            channel=ALERT,
            payload={"notification": line_id},
            topic=topic,
            deliver_at=opens_at,
        )
    if person.webhook_url:
        yield outbox.Message(
            key=f"hook:{news.key}:{person.pk}",
            channel=HOOK,
            payload={"notification": line_id},
            topic=topic and f"hook:{topic}",
            deliver_at=opens_at,
        )


def _digest(person: User, opens_at: datetime | None, now: datetime) -> outbox.Message:
    """Return the next digest of a person; asked for by many lines it is one message."""
    local = now.astimezone(ZoneInfo(person.time_zone))
    day = local.date() if local.time() < DIGEST_AT else local.date() + timedelta(days=1)
    at = datetime.combine(day, DIGEST_AT, local.tzinfo)
    return outbox.Message(
        key=f"digest:{person.pk}:{day.isoformat()}",
        channel=DIGEST,
        payload={"user": person.pk},
        deliver_at=max(at, opens_at) if opens_at else at,
    )


def _insert_lines(wanted: Sequence[tuple[User, News]], now: datetime) -> dict[tuple[int, str], int]:
    """Insert the lines that nobody has yet; return the id of each by recipient and key.

    They travel as one text: writing a list for each column would cost the sweep more than all else.
    """
    rows = [
        {
            "recipient": person.pk,
            "key": news.key,
            "title": news.title[:LONGEST_TITLE],
            "body": news.body[:LONGEST_BODY],
            "url": news.url,
            "icon": news.icon,
            "kind": news.kind.value,
        }
        for person, news in wanted
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO common_notification"
            " (recipient_id, key, title, body, url, icon, kind, created_at)"
            " SELECT given.*, %s FROM json_to_recordset(%s::json)"
            " AS given (recipient bigint, key text, title text, body text, url text, icon text,"
            " kind text)"
            " ON CONFLICT (recipient_id, key) DO NOTHING RETURNING recipient_id, key, id",
            [now, json.dumps(rows)],
        )
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}

from __future__ import annotations

from django.utils import timezone

from crm.accounts.models import User
from crm.common.models import Notification
from crm.common.notifications import notify
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, Arguments, closed, public, row
from tests.factories import make_user


def news_of(viewer: User) -> Arguments:
    number = Notification.objects.count()
    notify(recipients=[viewer], key=str(number), title="19 min over", now=timezone.now())
    return {"notification_id": Notification.objects.get(recipient=viewer, key=str(number)).pk}


def news_of_somebody_else(_viewer: User) -> Arguments:
    return news_of(make_user())


ROWS = [
    public("shell:home"),
    closed("shell:first_run"),  # somebody exists
    row("shell:guide", MARKETER, MANAGER, ADMIN),
    row("shell:search", *PEOPLE),
    row("shell:palette", *PEOPLE),
    row("shell:notifications", *PEOPLE),
    row("shell:notifications_read", *PEOPLE, method="post"),
    row(
        "shell:notification_open",
        *PEOPLE,
        own=news_of,
        foreign=news_of_somebody_else,
        method="post",
    ),
    public("shell:health"),
    row("shell:message_replay", ADMIN, own=lambda _: {"message_id": 1}, method="post"),
    row("shell:components", ADMIN),
    public("shell:robots"),
    public("shell:favicon"),
]

"""What never counted goes after a while: it is personal, and serves nobody any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from engagement.enums import SubmissionState
from engagement.models import InboxMessage, RefusalCount, Submission

#: Rows of one statement, so that no lock is held for long; our choice.
_CHUNK = 1_000


def remove_refused(*, now: datetime) -> int:
    """Remove what was refused ``KEEP_REFUSED_DAYS`` before ``now``; return how many rows.

    Messages that could not be absorbed, submissions that were refused or never confirmed, and the
    counts of refusals. What became an event or a lead stays, and so does what still waits. Safe to
    repeat.
    """
    before = now - timedelta(days=settings.KEEP_REFUSED_DAYS)
    unwanted = (SubmissionState.REFUSED, SubmissionState.WAITING)
    old: tuple[QuerySet[InboxMessage] | QuerySet[Submission] | QuerySet[RefusalCount], ...] = (
        InboxMessage.objects.filter(due_at=None, received_at__lt=before),
        Submission.objects.filter(state__in=unwanted, received_at__lt=before).exclude(
            mailed_at__gte=before  # somebody may still confirm
        ),
        RefusalCount.objects.filter(last_at__lt=before),
    )
    return sum(map(_remove, old))


def _remove(rows: QuerySet[InboxMessage] | QuerySet[Submission] | QuerySet[RefusalCount]) -> int:
    """Remove rows from the first on: no chunk looks again at what the ones before passed by."""
    removed, ahead = 0, rows
    while ids := list(ahead.order_by("pk").values_list("pk", flat=True)[:_CHUNK]):
        removed += rows.filter(pk__in=ids).delete()[0]  # unless somebody took it meanwhile
        ahead = rows.filter(pk__gt=ids[-1])
    return removed

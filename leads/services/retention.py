"""What became of each lead or line of long work is kept for a while, not for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from leads.enums import BulkState
from leads.models import BulkJob, ImportJob

#: Long enough to take something back that a quarter's report brought to light. Our choice.
KEPT = timedelta(days=90)
_WAITING = (BulkState.QUEUED, BulkState.RUNNING)


def forget_results(*, now: datetime) -> bool:
    """Remove the rows of one job that ended longer ago than ``KEPT``; say whether there was one.

    The job stays: who did what to how many. What is being taken back is needed until that is over.
    """
    undoing = BulkJob.objects.filter(undoes=OuterRef("pk"), state__in=_WAITING)
    return _forget_oldest(BulkJob.objects.exclude(Exists(undoing)), now) or _forget_oldest(
        ImportJob.objects.all(), now
    )


@transaction.atomic
def _forget_oldest(jobs: QuerySet[BulkJob] | QuerySet[ImportJob], now: datetime) -> bool:
    due = jobs.filter(finished_at__lt=now - KEPT, is_staged=True).order_by("pk")
    job = due.select_for_update(of=("self",), skip_locked=True).first()
    if job is None:
        return False
    with connection.cursor() as cursor:  # one statement; the limit is for statements that hang
        cursor.execute("SET LOCAL statement_timeout = 0")
    job.rows.all().delete()
    job.is_staged = False
    job.save(update_fields=["is_staged"])
    return True

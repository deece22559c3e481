"""Wake-ups of this app."""

import logging
from datetime import datetime

from celery import shared_task
from django.db.models import Count, Min
from django.utils import timezone

from crm.common.health import beat
from leads.importing import jobs, uploads
from leads.models import ImportJob

logger = logging.getLogger(__name__)


@shared_task(name="leads.run_imports")
def run_imports(**_: object) -> int:
    """Run by beat every few seconds; does one piece of each waiting import, then rings again.

    One piece at a time lets a small import overtake a large one, and a lost message costs nothing.
    """
    now = timezone.now()
    waiting = list(ImportJob.objects.waiting().values_list("pk", flat=True)[:20])
    has_more = [_step(pk, now) for pk in waiting]
    if any(has_more):
        run_imports.apply_async(queue="bulk", expires=60)
    left = ImportJob.objects.waiting().aggregate(number=Count("pk"), oldest=Min("created_at"))
    beat("run_imports", now, left["number"], left["oldest"])
    return len(waiting)


def _step(job_id: int, now: datetime) -> bool:
    """Do one piece; an import that fails in an unforeseen way stops alone, and says so."""
    try:
        return jobs.run_step(job_id=job_id, now=now)
    except Exception:
        logger.exception("Import %s stopped", job_id)
        jobs.stop_job(
            job_id=job_id, now=now, error="An unforeseen error; the log of the worker has it."
        )
        return False


@shared_task(name="leads.remove_old_uploads")
def remove_old_uploads(**_: object) -> int:
    """Run by beat every hour."""
    return uploads.remove_old_uploads(now=timezone.now())

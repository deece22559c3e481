"""Wake-ups of this app."""

from datetime import datetime
from typing import Any

from celery import shared_task
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from crm.common.health import beat
from crm.common.loops import work_in_turn
from leads import services
from leads.bulk import jobs as bulk
from leads.importing import jobs, uploads
from leads.models import ImportJob
from leads.services import waking


@shared_task(name="leads.run_imports")
def run_imports(**_: object) -> int:
    """Run by beat every few seconds; does one piece of each waiting import, then rings again.

    One piece at a time lets a small import overtake a large one, and a lost message costs nothing.
    """
    now = timezone.now()
    if jobs.sweep_jobs(now):
        run_imports.apply_async(queue="bulk", expires=60)
    return _beat("run_imports", ImportJob.objects.waiting(), now)


@shared_task(name="leads.run_bulk_jobs")
def run_bulk_jobs(**_: object) -> int:
    """Run by beat every few seconds; works off what people do to many leads, a turn at a time."""
    work_in_turn(bulk.sweep_jobs)
    return _beat("run_bulk_jobs", bulk.waiting(), timezone.now())


def _beat(loop: str, waiting: QuerySet[Any], now: datetime) -> int:
    left = waiting.aggregate(number=Count("pk"), oldest=Min("created_at"))
    beat(loop, now, left["number"], left["oldest"])
    return int(left["number"])


@shared_task(name="leads.wake_leads")
def wake_leads(**_: object) -> None:
    """Run by beat every ten seconds."""
    work_in_turn(lambda now: waking.wake_leads(now=now) == waking.BATCH)
    beat("wake_leads", timezone.now())


@shared_task(name="leads.mark_duplicates")
def mark_duplicates(**_: object) -> None:
    """Run by beat every ten seconds; after an upgrade all names that stand twice are due."""
    work_in_turn(lambda _now: services.mark_duplicates())
    beat("mark_duplicates", timezone.now())


@shared_task(name="leads.remove_old_uploads")
def remove_old_uploads(**_: object) -> int:
    """Run by beat every hour."""
    return uploads.remove_old_uploads(now=timezone.now())


@shared_task(name="leads.forget_results")
def forget_results(**_: object) -> None:
    """Run by beat every hour; the next turn goes on with what one is too short for."""
    work_in_turn(lambda now: services.forget_results(now=now))

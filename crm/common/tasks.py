"""Wake-ups for the mechanisms of ``crm.common``."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from crm.common import once, outbox
from crm.common.loops import work_in_turn


@shared_task(name="common.dispatch_outbox")
def dispatch_outbox(**_: object) -> None:
    """Run by beat every two seconds; after a full batch more is due."""
    work_in_turn(lambda now: outbox.dispatch_outbox(now=now) == outbox.BATCH)


@shared_task(name="common.remove_old_forms")
def remove_old_forms(**_: object) -> int:
    """Run by beat every hour."""
    return once.remove_old_forms(now=timezone.now())

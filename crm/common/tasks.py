"""Wake-ups for the mechanisms of ``crm.common``."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from crm.common import outbox


@shared_task(name="common.dispatch_outbox")
def dispatch_outbox(**_: object) -> None:
    """Run by beat every two seconds; after a full batch more is due, so the clock is read anew."""
    while outbox.dispatch_outbox(now=timezone.now()) == outbox.BATCH:
        pass

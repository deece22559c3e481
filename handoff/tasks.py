"""Wake-ups of the deadline sweep; the database holds what is due."""

from celery import shared_task
from django.utils import timezone

from handoff import services


@shared_task(name="handoff.enforce_deadlines")
def enforce_deadlines(**_: object) -> None:
    """Run by beat every two seconds; after a full batch more is due, so the clock is read anew."""
    while services.enforce_deadlines(now=timezone.now()) == services.BATCH:
        pass

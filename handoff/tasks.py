"""Wake-ups of the deadline sweep; the database holds what is due."""

from celery import shared_task

from crm.common.loops import work_in_turn
from handoff import services


@shared_task(name="handoff.enforce_deadlines")
def enforce_deadlines(**_: object) -> None:
    """Run by beat every two seconds; after a full batch more is due."""
    work_in_turn(lambda now: services.enforce_deadlines(now=now) == services.BATCH)

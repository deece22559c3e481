"""Wake-ups of the deadline sweep; the database holds what is due."""

from celery import shared_task
from django.utils import timezone

from crm.common.clock import database_now
from crm.common.loops import work_in_turn
from handoff import services


@shared_task(name="handoff.enforce_deadlines")
def enforce_deadlines(**_: object) -> None:
    """Run by beat every two seconds; after a full batch more is due. By the database's clock."""
    work_in_turn(lambda _now: services.enforce_deadlines(now=database_now()) == services.BATCH)


@shared_task(name="handoff.renew_public_holidays")
def renew_public_holidays(**_: object) -> None:
    """Run by beat every hour; nothing is due in most years."""
    services.renew_public_holidays(now=timezone.now())

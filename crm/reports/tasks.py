"""Wake-ups of the sums that reports keep."""

from celery import shared_task

from crm.common.clock import database_now
from crm.common.loops import work_in_turn
from crm.reports import services


@shared_task(name="reports.count_sla_days")
def count_sla_days(**_: object) -> None:
    """Run by beat every twenty seconds. By the database's clock, as deadlines are."""
    work_in_turn(lambda _now: services.count_sla_days(now=database_now()))


@shared_task(name="reports.count_splits")
def count_splits(**_: object) -> None:
    """Run by beat every ten seconds; after an upgrade all handoffs of the past are due."""
    work_in_turn(lambda _now: services.count_splits(now=database_now()))


@shared_task(name="reports.count_funnel_days")
def count_funnel_days(**_: object) -> None:
    """Run by beat every twenty seconds; after an upgrade all days of the past are counted."""
    work_in_turn(lambda now: services.count_funnel_days(now=now))

"""Wake-ups for the services; what is owed stands in the database."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from crm.common.loops import work_in_turn
from engagement import services
from engagement.services.attendance_uploads import record_queued_uploads
from engagement.services.merging import follow_on

#: Shorter than other turns: whatever was absorbed is scored by the same worker.
_TURN = timedelta(seconds=2)


@shared_task(name="engagement.absorb_events")
def absorb_events(**_: object) -> None:
    """Run by beat every second; after a full batch more is due."""
    work_in_turn(lambda now: services.absorb_events(now=now) == services.BATCH, at_most=_TURN)


@shared_task(name="engagement.record_attendance")
def record_attendance(**_: object) -> int:
    """Run by beat every few seconds: records the attendance lists that people said to record."""
    return record_queued_uploads(now=timezone.now())


@shared_task(name="engagement.follow_merges")
def follow_merges(**_: object) -> None:
    """Run by beat every few seconds: moves the acts of merged leads that have very many."""
    work_in_turn(lambda now: follow_on(now=now), at_most=_TURN)


@shared_task(name="engagement.remove_refused")
def remove_refused(**_: object) -> int:
    """Run by beat every hour: removes what was refused long ago."""
    return services.remove_refused(now=timezone.now())


@shared_task(name="engagement.keep_partitions")
def keep_partitions(**_: object) -> int:
    """Run by beat every hour; three months are ready ahead, so missing many runs is harmless."""
    return services.keep_partitions(now=timezone.now())

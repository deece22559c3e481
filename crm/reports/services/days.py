"""What all days share that reports count beforehand: whose, which, and when again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from crm.accounts.models import User
from crm.reports.days import Day, days_of
from crm.reports.enums import READERS
from crm.reports.models import FunnelChange, FunnelDay, SlaChange, SlaDay

#: Changes that one round takes up.
CHANGES = 10_000


def zones() -> list[str]:
    """Return the zones of those who read reports, and that of the command."""
    readers = User.objects.filter(is_active=True, roles__overlap=list(READERS))
    return sorted({settings.TIME_ZONE, *readers.values_list("time_zone", flat=True)})


def take_up(
    changes: type[SlaChange | FunnelChange], days: type[SlaDay | FunnelDay], of: str
) -> bool:
    """Say of the days that a change touches that they are not counted; say whether more changed.

    ``of`` names what a change and a day have in common beside the hour.
    """
    ids = list(changes.objects.order_by("id").values_list("pk", flat=True)[:CHANGES])
    taken = changes.objects.filter(pk__in=ids)
    touching = taken.touching(OuterRef(of), OuterRef("began_at"), OuterRef("ended_at"))
    days._default_manager.filter(Exists(touching)).update(counted_at=None)
    taken.delete()
    return len(ids) == CHANGES


def uncounted(known: QuerySet[Any], first: datetime | None, now: datetime) -> list[Day]:
    """Return the days of the active zone that are over and not counted, newest first.

    Args:
        known: the rows of days of one kind, of any zone.
        first: when the first that is counted happened; None when nothing did.
        now: days that end before it are over.
    """
    if first is None:
        return []
    zone = timezone.get_current_timezone()
    begun = first.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    name = timezone.get_current_timezone_name()
    done = known.filter(zone=name, counted_at__isnull=False)
    counted = set(done.values_list("day", flat=True))
    over = (day for day in days_of(begun, now) if day.ended_at < now)
    return [day for day in over if day.day not in counted][::-1]

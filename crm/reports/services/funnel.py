"""Counting days of the funnel beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from crm.common.locks import try_hold
from crm.reports.cohorts import FLOW, Unit
from crm.reports.days import Day, with_room
from crm.reports.funnel_sums import KEPT_BY, KINDS, SUMMED, counted_now
from crm.reports.models import FunnelChange, FunnelDay, FunnelSum
from crm.reports.services.days import take_up, uncounted, zones
from leads.models import StageInterval

#: Days of one zone and kind that one round counts; our choice: a statement takes about a second
#: with 5,000 new leads a day.
BATCH = 5


def count_funnel_days(*, now: datetime) -> bool:
    """Count days that are over and not counted, or not as they are since; say whether more are.

    In the zones of those who read reports, newest first. A change is taken up before the days that
    it touches are counted again: one that commits meanwhile is still there for the next round.
    One round at a time; another that comes meanwhile does nothing.
    """
    with transaction.atomic():
        if not try_hold("reports.count_funnel_days"):
            return False
        has_more = take_up(FunnelChange, FunnelDay, "basis")
        for name in zones():
            with timezone.override(ZoneInfo(name)):
                for basis, unit in KINDS:
                    days = _uncounted(basis, unit, now)
                    has_more |= len(days) > BATCH
                    _count(basis, unit, days[:BATCH], now)
    return has_more


def _uncounted(basis: str, unit: Unit, now: datetime) -> list[Day]:
    entered = StageInterval.objects.all()
    if basis != FLOW:
        entered = entered.filter(stage=basis)
    first = entered.aggregate(at=Min("started_at"))["at"]
    return uncounted(FunnelDay.objects.filter(basis=basis, unit=unit.value), first, now)


def _count(basis: str, unit: Unit, days: Sequence[Day], now: datetime) -> None:
    """Write the sums of ``days`` of the active zone, newest first, all from one look at them."""
    if not days:
        return
    zone = timezone.get_current_timezone_name()
    kind = {"zone": zone, "basis": basis, "unit": unit.value}
    former = FunnelDay.objects.filter(**kind, day__in=[each.day for each in days])
    FunnelSum.objects.filter(day__in=list(former.values_list("pk", flat=True))).delete()
    summed = counted_now(basis, unit, days[::-1], KEPT_BY)
    columns = ", ".join(SUMMED)
    statement = f"""
        WITH summed AS MATERIALIZED ({summed.text}),
        counted AS (
            INSERT INTO {FunnelDay._meta.db_table}
                (zone, basis, unit, day, began_at, ended_at, counted_at)
            SELECT %(zone)s, %(basis)s, %(unit)s, day, began_at, ended_at, %(now)s
            FROM unnest(%(counted)s::date[], %(begun)s::timestamptz[], %(ended)s::timestamptz[])
                AS each (day, began_at, ended_at)
            ON CONFLICT (zone, basis, unit, day) DO UPDATE SET began_at = excluded.began_at,
                ended_at = excluded.ended_at, counted_at = excluded.counted_at
            RETURNING id, began_at)
        INSERT INTO {FunnelSum._meta.db_table} (day_id, {columns})
        SELECT counted.id, {columns} FROM summed JOIN counted USING (began_at)
    """  # noqa: S608 -- names from this module
    own: dict[str, Any] = {
        **kind,
        "now": now,
        "counted": [each.day for each in days],
        "begun": [each.began_at for each in days],
        "ended": [each.ended_at for each in days],
    }
    with with_room() as cursor:
        cursor.execute(statement, {**summed.params, **own})

"""Counting days of SLA compliance, and where the time of handoffs went, beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from crm.common.locks import try_hold
from crm.common.ui.spans import SegmentKind
from crm.reports.days import Day, with_room
from crm.reports.models import SlaChange, SlaDay, SlaSplit, SlaSplitDue, SlaSum
from crm.reports.services.days import take_up, uncounted, zones
from crm.reports.standing import Scope
from crm.reports.sums import ACCOUNTS, NARROWED_TO, SUMMED, counted_now, slots_of
from handoff.enums import ClockKind
from handoff.models import Clock, Handoff
from handoff.split_clock import SplitClock, totals
from handoff.splits import split_clocks

#: About as many clocks of one zone and kind one round counts, in whole days; our choice: it
#: takes about a second.
BATCH = 20_000
#: Handoffs of which one round counts the split clock; our choice: a tenth of a second or two.
SPLITS = 500


def count_sla_days(*, now: datetime) -> bool:
    """Count days that are over and not counted, or not as they are since; say whether more are.

    In the zones of those who read reports, newest first. A change is taken up before the days that
    it touches are counted again: one that commits meanwhile is still there for the next round.
    One round at a time; another that comes meanwhile does nothing.
    """
    with transaction.atomic():
        if not try_hold("reports.count_sla_days"):
            return False
        has_more = take_up(SlaChange, SlaDay, "kind")
        SlaDay.objects.filter(holds_until__lt=now).update(counted_at=None)
        for name in zones():
            with timezone.override(ZoneInfo(name)):
                for kind in ClockKind:
                    days = _uncounted(kind, now)
                    piece = _piece(kind, days)
                    has_more |= len(days) > len(piece)
                    _count(kind, piece, now)
    return has_more


def _uncounted(kind: ClockKind, now: datetime) -> list[Day]:
    """Return the days of the active zone that are over and not counted, newest first."""
    first = Clock.objects.filter(kind=kind).aggregate(at=Min("started_at"))["at"]
    return uncounted(SlaDay.objects.filter(kind=kind), first, now)


def _piece(kind: ClockKind, days: Sequence[Day]) -> Sequence[Day]:
    """Return the first of ``days``, newest first, which have about ``BATCH`` clocks; at least one.

    Days without any come along: an upgrade counts years of them.
    """
    if not days:
        return []
    before = Clock.objects.filter(kind=kind, started_at__lt=days[0].ended_at)
    newest = before.order_by("-started_at", "-id").values_list("started_at", flat=True)
    [*beyond] = newest[BATCH : BATCH + 1]
    within = [day for day in days if not beyond or day.began_at > beyond[0]]
    return within or days[:1]


def _count(kind: ClockKind, days: Sequence[Day], now: datetime) -> None:
    """Write the sums of ``days`` of the active zone, newest first, all from one look at them."""
    if not days:
        return
    zone = timezone.get_current_timezone_name()
    former = SlaDay.objects.filter(zone=zone, kind=kind, day__in=[each.day for each in days])
    SlaSum.objects.filter(day__in=former).delete()
    scope, slots = Scope(kind, now, now), slots_of(kind)
    summed = counted_now(scope, days[::-1], slots, now=now, parts=NARROWED_TO)
    columns = ", ".join(("part", "of", *SUMMED))
    statement = f"""
        WITH summed AS MATERIALIZED ({summed.text}),
        counted AS (
            INSERT INTO {SlaDay._meta.db_table}
                (zone, kind, day, began_at, ended_at, counted_at, holds_until)
            SELECT %(zone)s, %(kind)s, day, began_at, ended_at, %(now)s,
                (SELECT min(next_due_at) FROM summed WHERE summed.began_at = each.began_at)
            FROM unnest(%(days)s::date[], %(begun)s::timestamptz[], %(ended)s::timestamptz[])
                AS each (day, began_at, ended_at)
            ON CONFLICT (zone, kind, day) DO UPDATE SET began_at = excluded.began_at,
                ended_at = excluded.ended_at, counted_at = excluded.counted_at,
                holds_until = excluded.holds_until
            RETURNING id, began_at)
        INSERT INTO {SlaSum._meta.db_table} (day_id, {columns})
        SELECT counted.id, {columns} FROM summed JOIN counted USING (began_at)
    """  # noqa: S608 -- names from this module
    own: dict[str, Any] = {
        "zone": zone,
        "kind": kind.value,
        "now": now,
        "ended": [each.ended_at for each in days[::-1]],
    }
    with with_room() as cursor:
        cursor.execute(statement, {**summed.params, **own})


def count_splits(*, now: datetime) -> bool:
    """Count where the time of handoffs went that were touched or ended; say whether more are due.

    What is due is read before the handoffs are, so a change that commits meanwhile is due again.
    One whose time cannot be counted has no split clock, and does not hold up the others.
    """
    with transaction.atomic():
        if not try_hold("reports.count_splits"):
            return False
        due = dict(SlaSplitDue.objects.order_by("id").values_list("id", "handoff_id")[:SPLITS])
        ids = set(due.values())
        over = Handoff.objects.filter(pk__in=ids).exclude(first_touch_at=None, closed_at=None)
        clocks = split_clocks(list(over.values_list("pk", flat=True)), now=now)
        SlaSplit.objects.filter(pk__in=ids - clocks.keys()).delete()
        SlaSplit.objects.bulk_create(
            [_split(pk, clock) for pk, clock in clocks.items()],
            update_conflicts=True,
            unique_fields=["handoff"],
            update_fields=ACCOUNTS,
        )
        SlaSplitDue.objects.filter(pk__in=due).delete()
    return len(due) == SPLITS


def _split(handoff_id: int, clock: SplitClock) -> SlaSplit:
    spent = totals([clock])
    accounts = {each: spent[SegmentKind(each.replace("_", "-"))] for each in ACCOUNTS}
    return SlaSplit(handoff_id=handoff_id, **accounts)

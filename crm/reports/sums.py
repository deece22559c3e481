"""Clocks summed by day: read where a day was counted beforehand, counted now where not.

Both come from one text around the query of the lists, so a sum cannot differ from its rows.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, ExtractHour, NullIf
from django.utils import timezone

from crm.reports.models import SlaChange, SlaDay
from crm.reports.outcomes import OUTCOMES, Outcome
from crm.reports.standing import NOBODY, TIER, Scope, Standing, clocks_of_any_day
from handoff.enums import ClockKind

COUNTS = ("received", *(each.value for each in Standing))
#: Of a row of ``reports_slasum``, and of one that is counted now beside its day.
SUMMED = ("by", "key", *COUNTS, "minutes", "seconds")
COLUMNS = ("began_at", "day", *SUMMED)


#: Whose time the split clock says it was, as ``SlaSplit`` names them.
ACCOUNTS = ("system", "unassigned", "holder_a", "holder_b", "outside", "excused")


class Slot(StrEnum):
    """What the clocks of a sum have in common beside their day; ``ALL`` is nothing."""

    ALL = ""
    REP = "rep"
    TEAM = "team"
    TIER = "tier"
    SOURCE = "source"
    VERSION = "version"
    HOUR = "hour"
    SPLIT = "split"
    OUTCOME = "outcome"
    ATTEMPTS = "attempts"


#: Asked of one clock of a handoff only, or it would count thrice: of that of the verdict what it
#: came to, of that of the first touch, where the split clock ends, whose time it was.
_OF_KINDS = {
    Slot.OUTCOME: ClockKind.VERDICT,
    Slot.ATTEMPTS: ClockKind.VERDICT,
    Slot.SPLIT: ClockKind.FIRST_TOUCH,
}
_KEYS: Mapping[Slot, Any] = {
    Slot.REP: Cast("answerable", TextField()),
    Slot.TEAM: Cast("handoff__team", TextField()),
    Slot.TIER: TIER,
    Slot.SOURCE: NullIf(F("handoff__lead__source"), Value("")),
    Slot.VERSION: Cast("handoff__agreement__version", TextField()),
    Slot.HOUR: Cast(ExtractHour("started_at"), TextField()),
    Slot.ATTEMPTS: Cast("handoff__attempts", TextField()),
}
# In working minutes, a begun one counted: "within 22 min" is then true of who took 21:30.
_MINUTE = RawSQL("ceil(extract(epoch FROM elapsed) / 60)::int", ())


@dataclass(frozen=True)
class Day:
    """A local day, or as much of it as is asked for; half-open."""

    day: date
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Sql:
    """A part of a statement, and what its placeholders stand for."""

    text: str
    params: Mapping[str, Any]


def days_of(start: datetime, end: datetime) -> Iterator[Day]:
    """Yield the days of the active zone from ``start`` to ``end``, which may cut a day."""
    zone = timezone.get_current_timezone()
    first, last = (at.astimezone(zone).date() for at in (start, end))
    midnights = (
        datetime.combine(first + timedelta(days=n), time(), zone)
        for n in range(1, (last - first).days + 1)
    )
    edges = [start, *(at for at in midnights if start < at < end), end]
    for began_at, ended_at in itertools.pairwise(edges):
        if began_at < ended_at:
            yield Day(began_at.astimezone(zone).date(), began_at, ended_at)


def slots_of(kind: ClockKind) -> list[Slot]:
    """Return what is counted beforehand of clocks of ``kind``."""
    return [each for each in Slot if _OF_KINDS.get(each, kind) is kind]


def counted_now(
    scope: Scope, days: Sequence[Day], slots: Collection[Slot], *, now: datetime
) -> Sql:
    """Return the select that sums the clocks of ``days``, whatever the period of ``scope``.

    Its columns are ``COLUMNS`` and when the next clock falls due.
    """
    clocks, params = _clocks(scope, days, slots, now)
    counts = ", ".join(
        f"count(*) FILTER (WHERE standing = '{each}') AS {each}" for each in Standing
    )
    timed = "is_timed AND stopped_at IS NOT NULL AND minute IS NOT NULL"
    text = f"""
        SELECT (%(begun)s::timestamptz[])[place] AS began_at, (%(days)s::date[])[place] AS day,
            slot.by, slot.key, count(*) AS received, {counts},
            coalesce(string_agg(int4send(minute), '' ORDER BY minute) FILTER (WHERE {timed}), '')
                AS minutes,
            coalesce(sum(slot.seconds), 0)::bigint AS seconds,
            min(due_at) FILTER (WHERE standing = '{Standing.NOT_YET_DUE}') AS next_due_at
        FROM ({clocks}) AS clock
        CROSS JOIN LATERAL width_bucket(started_at, %(begun)s::timestamptz[]) AS place
        CROSS JOIN LATERAL (VALUES {", ".join(_slot_values(slots))})
            AS slot (by, key, is_timed, seconds)
        WHERE slot.key IS NOT NULL
        GROUP BY place, slot.by, slot.key"""  # noqa: S608 -- names from this module
    edges = {"begun": [each.began_at for each in days], "days": [each.day for each in days]}
    return Sql(text, {**params, **edges})


def sums(
    scope: Scope, slots: Collection[Slot], *, since: datetime | None = None, now: datetime
) -> Sql:
    """Return the beginning of a statement, the table ``part``: the sums of each day of ``scope``.

    Its columns are ``COLUMNS``. A day that was counted beforehand is read where it still says what
    is at ``now``; all others are counted now. Of the days ``since`` then before the start there is
    but the sum of all.
    """
    before = days_of(since, scope.start) if since else ()
    days = [*before, *days_of(scope.start, scope.end)]
    kept = counted_beforehand(scope.kind, days, now=now) if scope.is_whole else {}
    open_days = [each for each in days if each.began_at not in kept]
    columns = ", ".join(COLUMNS)
    parts = [
        f"""SELECT {columns}
            FROM reports_slasum JOIN (SELECT id AS day_id, began_at, day FROM reports_sladay)
                AS sla_day USING (day_id)
            WHERE day_id = ANY(%(kept)s) AND by = ANY(%(slots)s)"""  # noqa: S608
    ]
    params: dict[str, Any] = {
        "kept": list(kept.values()),
        "slots": [each.value for each in slots],
        "start": scope.start,
    }
    if open_days:
        live = counted_now(scope, open_days, slots, now=now)
        parts.append(f"SELECT {columns} FROM ({live.text}) AS live")  # noqa: S608
        params |= live.params
    text = " UNION ALL ".join(parts)
    asked = f"SELECT * FROM ({text}) AS sums WHERE by = '' OR began_at >= %(start)s"  # noqa: S608
    return Sql(f"WITH part AS MATERIALIZED ({asked})", params)


def counted_beforehand(
    kind: ClockKind, days: Sequence[Day], *, now: datetime
) -> Mapping[datetime, int]:
    """Return which of ``days``, by their beginning, are counted and hold at ``now``: their ids.

    What was counted stays readable by its id, so that nothing is missing where a day is counted
    anew before its sums are read.
    """
    if not days:
        return {}
    known = SlaDay.objects.filter(
        zone=timezone.get_current_timezone_name(),
        kind=kind,
        day__range=(days[0].day, days[-1].day),
        counted_at__lte=now,
    )
    holding = known.filter(Q(holds_until=None) | Q(holds_until__gte=now)).exclude(
        Exists(
            SlaChange.objects.touching(OuterRef("kind"), OuterRef("began_at"), OuterRef("ended_at"))
        )
    )
    ids = {tuple(ends): pk for pk, *ends in holding.values_list("pk", "began_at", "ended_at")}
    found = {each.began_at: ids.get((each.began_at, each.ended_at)) for each in days}
    return {began_at: pk for began_at, pk in found.items() if pk is not None}


def fetched(query: Sql) -> list[Mapping[str, Any]]:
    """Run a statement; return its rows by column."""
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _clocks(
    scope: Scope, days: Sequence[Day], slots: Collection[Slot], now: datetime
) -> tuple[str, Mapping[str, Any]]:
    """Return the query for what slots and sums are made of, of each clock of ``days``."""
    keys = {f"key_{slot}": _KEYS[slot] for slot in slots if slot in _KEYS}
    if Slot.SPLIT in slots:
        keys |= {f"key_{each}": F(f"handoff__split_time__{each}") for each in ACCOUNTS}
    flags = {f"is_{each}": where for each, where in OUTCOMES.items() if Slot.OUTCOME in slots}
    of_days = clocks_of_any_day(scope, now=now).filter(_within(days))
    asked = of_days.values(
        "standing", "started_at", "due_at", "stopped_at", minute=_MINUTE, **keys, **flags
    )
    text, bound = asked.query.sql_with_params()
    names = [f"clock_{place}" for place in range(len(bound))]
    return text % tuple(f"%({name})s" for name in names), dict(zip(names, bound, strict=True))


def _within(days: Sequence[Day]) -> Q:
    """Return the condition that a clock began on one of ``days``, days in a row asked at once."""
    runs: list[tuple[datetime, datetime]] = []
    for each in days:
        if runs and runs[-1][1] == each.began_at:
            runs[-1] = (runs[-1][0], each.ended_at)
        else:
            runs.append((each.began_at, each.ended_at))
    spans = (Q(started_at__gte=began_at, started_at__lt=ended_at) for began_at, ended_at in runs)
    return functools.reduce(operator.or_, spans)


def _slot_values(slots: Collection[Slot]) -> Iterator[str]:
    """Yield the rows of the table ``slot``; a key of NULL is none."""
    for slot in slots:
        if slot is Slot.ALL:
            yield "('', '', true, 0::numeric)"
        elif slot is Slot.OUTCOME:
            yield from (
                f"('{slot}', CASE WHEN is_{each} THEN '{each}' END, false, 0)" for each in Outcome
            )
        elif slot is Slot.ATTEMPTS:
            yield f"('{slot}', CASE WHEN is_{Outcome.GIVEN_UP} THEN key_{slot} END, false, 0)"
        elif slot is Slot.SPLIT:
            yield from (
                f"('{slot}', CASE WHEN key_{each} IS NOT NULL THEN '{each}' END, false,"
                f" extract(epoch FROM key_{each}))"
                for each in ACCOUNTS
            )
        else:
            yield f"('{slot}', coalesce(key_{slot}, '{NOBODY}'), {slot is not Slot.HOUR}, 0)"

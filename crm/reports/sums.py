"""Clocks summed by day: read where a day was counted beforehand, counted now where not.

Both come from one text around the query of the lists, so a sum cannot differ from its rows.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, ExtractHour, NullIf
from django.utils import timezone

from crm.reports.days import Day, Sql, days_of, ids_of, within
from crm.reports.models import SlaChange, SlaDay
from crm.reports.outcomes import OUTCOMES, Outcome
from crm.reports.standing import NOBODY, TIER, By, Scope, Standing, clocks_of_any_day
from handoff.enums import ClockKind

#: Whose time the split clock says it was, as ``SlaSplit`` names them.
ACCOUNTS = ("system", "unassigned", "holder_a", "holder_b", "outside", "excused")
COUNTS = ("received", *(each.value for each in Standing), "still_open")
#: Answers in time by how much of the target they took, in percent; the others in time took more.
USED = {"used_25": 25, "used_50": 50, "used_75": 75}
#: Of those whose split clock has ended; only of all that a sum is narrowed to.
SPLITS = ("split", *(f"split_{each}" for each in ACCOUNTS))
ADDED = (*COUNTS, *USED, *SPLITS)
#: Of a row of ``reports_slasum``, and of one that is counted now beside its day.
SUMMED = ("by", "key", *ADDED, "minutes", "open_since", "open_calendar")
COLUMNS = ("began_at", "day", *SUMMED)


class Slot(StrEnum):
    """What the clocks of a sum have in common beside their day; ``ALL`` is nothing."""

    ALL = ""
    REP = "rep"
    TEAM = "team"
    TIER = "tier"
    SOURCE = "source"
    VERSION = "version"
    HOUR = "hour"
    OUTCOME = "outcome"
    ATTEMPTS = "attempts"


#: Asked of one clock of a handoff only, or it would count thrice: what it came to of that of the
#: verdict. So is whose time it was, of that of the first touch, where the split clock ends.
_OF_KINDS = {Slot.OUTCOME: ClockKind.VERDICT, Slot.ATTEMPTS: ClockKind.VERDICT}
#: What a page can be narrowed to by sums of their own: these have many clocks and few keys. A rep
#: has few clocks, which an index finds.
NARROWED_TO = (By.TEAM, By.TIER, By.SOURCE, By.VERSION)
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


def slots_of(kind: ClockKind) -> list[Slot]:
    """Return what is counted beforehand of clocks of ``kind``."""
    return [each for each in Slot if _OF_KINDS.get(each, kind) is kind]


def counted_now(
    scope: Scope,
    days: Sequence[Day],
    slots: Collection[Slot],
    *,
    now: datetime,
    parts: Collection[By] = (),
    since: datetime | None = None,
) -> Sql:
    """Return the select that sums the clocks of ``days``, whatever the period of ``scope``.

    Its columns are ``COLUMNS``, when the next clock falls due, and ``part`` and ``of``: of what
    the sum is a part, one of ``parts`` and its key, or empty. Of what began before ``since`` there
    is but the sum of all. No figure asks for an order, so that nothing has to be sorted; what is
    said of one clock is worked out once (``OFFSET 0``), not for each of its sums.
    """
    clocks, params = _clocks(scope, days, {*slots, *(Slot(each) for each in parts)}, now)
    text = f"""
        SELECT (%(begun)s::timestamptz[])[place] AS began_at, (%(days)s::date[])[place] AS day,
            slot.part, slot.of, slot.by, slot.key, {_sums_of(scope.kind)},
            min(due_at) FILTER (WHERE standing = '{Standing.NOT_YET_DUE}') AS next_due_at
        FROM ({clocks} OFFSET 0) AS clock
        CROSS JOIN LATERAL width_bucket(started_at, %(begun)s::timestamptz[]) AS place
        CROSS JOIN LATERAL (VALUES {", ".join(_slot_values(slots, parts))})
            AS slot (part, of, by, key, is_timed)
        WHERE slot.key IS NOT NULL AND (slot.by = '' OR started_at >= %(start)s)
        GROUP BY place, slot.part, slot.of, slot.by, slot.key"""  # noqa: S608 -- names from this module
    edges = {"begun": [each.began_at for each in days], "days": [each.day for each in days]}
    return Sql(text, {**params, **edges, "start": since or days[0].began_at})


def _sums_of(kind: ClockKind) -> str:
    """Return the figures of a sum, as ``SUMMED`` names them."""
    whole = "slot.by = ''"
    took = "standing = 'on_time' AND elapsed <= target * {} / 100 AND elapsed > target * {} / 100"
    was_answered = "is_timed AND stopped_at IS NOT NULL AND minute IS NOT NULL"
    is_open = "stopped_at IS NULL AND withdrawn_at IS NULL"
    figures = {
        "received": "count(*)",
        **{each.value: f"count(*) FILTER (WHERE standing = '{each}')" for each in Standing},
        "still_open": f"count(*) FILTER (WHERE {is_open})",
        **{
            name: f"count(*) FILTER (WHERE {took.format(most, most - 25 or -1)})"
            for name, most in USED.items()
        },
        "split": f"count(split_system) FILTER (WHERE {whole})",
        **{
            f"split_{each}": f"sum(extract(epoch FROM split_{each})) FILTER (WHERE {whole})::bigint"
            for each in ACCOUNTS
        },
        "minutes": f"coalesce(string_agg(int4send(minute), '') FILTER (WHERE {was_answered}), '')",
        "open_since": f"min(started_at) FILTER (WHERE {is_open})",
        "open_calendar": "(min(ARRAY[(extract(epoch FROM started_at) * 1000000)::bigint,"
        f" open_calendar]) FILTER (WHERE {is_open}))[2]",
    }
    if kind is not ClockKind.FIRST_TOUCH:
        figures |= dict.fromkeys(SPLITS, "NULL::bigint")
    return ", ".join(f"{sql} AS {name}" for name, sql in figures.items())


def sums(
    scope: Scope, slots: Collection[Slot], *, since: datetime | None = None, now: datetime
) -> Sql:
    """Return the beginning of a statement, the table ``part``: the sums of each day of ``scope``.

    Its columns are ``COLUMNS``. A day that was counted beforehand is read where it still says what
    is at ``now``; all others are counted now. Of the days ``since`` then before the start there is
    but the sum of all.
    """
    before = [*days_of(since, scope.start)] if since else []
    days = [*before, *days_of(scope.start, scope.end)]
    known = _known_as(scope)
    kept: Mapping[datetime, int] = {}
    if known is not None:
        kept = counted_beforehand(scope.kind, before if known.key else days, now=now)
    open_days = [each for each in days if each.began_at not in kept]
    columns = ", ".join(COLUMNS)
    parts = [_kept_sums(known)] if known else []
    params: dict[str, Any] = {
        **(asdict(known) if known else {}),
        "kept": list(kept.values()),
        "slots": [each.value for each in slots],
        "start": scope.start,
    }
    if open_days:
        live = counted_now(scope, open_days, slots, now=now, since=scope.start)
        parts.append(f"SELECT {columns} FROM ({live.text}) AS live")  # noqa: S608
        params |= live.params
    text = " UNION ALL ".join(parts)
    asked = f"SELECT * FROM ({text}) AS sums WHERE by = '' OR began_at >= %(start)s"  # noqa: S608
    return Sql(f"WITH part AS MATERIALIZED ({asked})", params)


@dataclass(frozen=True)
class _Kept:
    """Which kept sums are those of a scope: of a ``part`` and its key; of all without one.

    With a ``key``, that of the row ``by``, but one sum of a day is kept: that of all.
    """

    part: str = ""
    of: str = ""
    by: str = ""
    key: str = ""


def _known_as(scope: Scope) -> _Kept | None:
    """Return which kept sums are those of ``scope``; None where there are none."""
    if scope.outcome is not None or scope.arrived is not None or len(scope.only) > 2:
        return None
    if not scope.only:
        return _Kept()
    named = sorted(scope.only.items(), key=lambda each: each[0] not in NARROWED_TO)
    (part, of), *other = named
    if part not in NARROWED_TO:
        return None
    by, key = other[0] if other else ("", "")
    return _Kept(part, of, by, key)


def _kept_sums(known: _Kept) -> str:
    """Return the select of the kept sums, as ``COLUMNS`` names them."""
    columns = ", ".join(
        f"'' AS {name}" if known.key and name in ("by", "key") else name for name in COLUMNS
    )
    rows = "by = %(by)s AND key = %(key)s" if known.key else "by = ANY(%(slots)s)"
    return f"""SELECT {columns}
        FROM reports_slasum JOIN (SELECT id AS day_id, began_at, day FROM reports_sladay)
            AS sla_day USING (day_id)
        WHERE day_id = ANY(%(kept)s) AND part = %(part)s AND of = %(of)s AND {rows}"""  # noqa: S608


def counted_beforehand(
    kind: ClockKind, days: Sequence[Day], *, now: datetime
) -> Mapping[datetime, int]:
    """Return which of ``days``, by their beginning, are counted and hold at ``now``: their ids."""
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
    return ids_of(days, holding)


def _clocks(
    scope: Scope, days: Sequence[Day], slots: Collection[Slot], now: datetime
) -> tuple[str, Mapping[str, Any]]:
    """Return the query for what slots and sums are made of, of each clock of ``days``."""
    keys = {f"key_{slot}": _KEYS[slot] for slot in slots if slot in _KEYS}
    if scope.kind is ClockKind.FIRST_TOUCH:
        keys |= {f"split_{each}": F(f"handoff__split_time__{each}") for each in ACCOUNTS}
    flags = {f"is_{each}": where for each, where in OUTCOMES.items() if Slot.OUTCOME in slots}
    starts = ["started_at"]
    if By.TEAM in scope.only:
        starts.append("handoff__opened_at")  # the same moment, by which an index finds a team's
    began = functools.reduce(operator.and_, (within(days, start) for start in starts))
    of_days = clocks_of_any_day(scope, now=now).filter(began)
    asked = of_days.values(
        "standing", "started_at", "due_at", "stopped_at", "withdrawn_at", "elapsed", "target",
        minute=_MINUTE, open_calendar=F("handoff__calendar"), **keys, **flags,
    )  # fmt: skip
    text, bound = asked.query.sql_with_params()
    names = [f"clock_{place}" for place in range(len(bound))]
    return text % tuple(f"%({name})s" for name in names), dict(zip(names, bound, strict=True))


def _slot_values(slots: Collection[Slot], parts: Collection[By]) -> Iterator[str]:
    """Yield the rows of the table ``slot``; a key of NULL is none."""
    for slot in slots:
        yield from (f"('', '', {value})" for value in _values_of(slot))
    for part in parts:
        of = f"coalesce(key_{part}, '{NOBODY}')"
        for slot in slots:
            yield from (f"('{part}', {of}, {value})" for value in _values_of(slot))


def _values_of(slot: Slot) -> Iterator[str]:
    """Yield the keys that a clock has of ``slot``, each with its slot and whether it is timed."""
    if slot is Slot.ALL:
        yield "'', '', true"
    elif slot is Slot.OUTCOME:
        yield from (f"'{slot}', CASE WHEN is_{each} THEN '{each}' END, false" for each in Outcome)
    elif slot is Slot.ATTEMPTS:
        yield f"'{slot}', CASE WHEN is_{Outcome.GIVEN_UP} THEN key_{slot} END, false"
    else:
        yield f"'{slot}', coalesce(key_{slot}, '{NOBODY}'), {slot is not Slot.HOUR}"

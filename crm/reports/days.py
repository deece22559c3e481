"""Local days, which reports count beforehand, and what is read of them."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, QuerySet
from django.utils import timezone

#: What a statement over 20,000 rows needs not to go through files; our choice.
ROOM = "32MB"


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


def runs_of(days: Sequence[Day]) -> list[tuple[datetime, datetime]]:
    """Return when ``days`` begin and end, days in a row as one."""
    runs: list[tuple[datetime, datetime]] = []
    for each in days:
        if runs and runs[-1][1] == each.began_at:
            runs[-1] = (runs[-1][0], each.ended_at)
        else:
            runs.append((each.began_at, each.ended_at))
    return runs


def within(days: Sequence[Day], field: str) -> Q:
    """Return the condition that the time ``field`` lies on one of ``days``."""
    spans = (
        Q(**{f"{field}__gte": began_at, f"{field}__lt": ended_at})
        for began_at, ended_at in runs_of(days)
    )
    return functools.reduce(operator.or_, spans)


def ids_of(days: Sequence[Day], kept: QuerySet[Any]) -> Mapping[datetime, int]:
    """Return which of ``days``, by their beginning, are among rows ``kept`` of days: their ids.

    What was counted stays readable by its id, so that nothing is missing where a day is counted
    anew before its sums are read.
    """
    ids = {tuple(ends): pk for pk, *ends in kept.values_list("pk", "began_at", "ended_at")}
    found = {each.began_at: ids.get((each.began_at, each.ended_at)) for each in days}
    return {began_at: pk for began_at, pk in found.items() if pk is not None}


@contextmanager
def with_room() -> Iterator[CursorWrapper]:
    """Give a cursor whose statements may put their sums together in memory; in a transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [ROOM])
        yield cursor


def fetched(query: Sql) -> list[Mapping[str, Any]]:
    """Run a statement; return its rows by column."""
    with with_room() as cursor:
        cursor.execute(query.text, query.params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

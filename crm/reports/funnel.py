"""The funnel: how far the leads of a cohort came, read from stage intervals alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from crm.reports.cohorts import EXITS, REACHED, STEPS, Cohort, S, Split, Unit, units
from crm.reports.days import Sql, fetched
from crm.reports.funnel_sums import COUNTS, TIMES, WHOLE, sums
from crm.reports.minutes import read_minutes, time_within
from leads.models import StageInterval


@dataclass(frozen=True)
class FunnelRow:
    """The counts of one cohort or of one part of it; ``key`` is None for the whole.

    ``median_time[step]`` is the time within which half of those with both came from the step before
    to ``step``, in whole minutes; parts have none.
    """

    key: str | None
    reached: Mapping[str, int]
    skipped: Mapping[str, int]
    exits: Mapping[str, int]
    overridden: int
    in_progress: int
    median_time: Mapping[str, timedelta | None] = field(default_factory=dict)


def funnel(cohort: Cohort, *, split: Split) -> tuple[FunnelRow, list[FunnelRow]]:
    """Return the whole cohort and its parts by ``split``, the largest first.

    Args:
        cohort: who is counted, by the days of the active zone.
        split: by what the lead has now, or by the month of the first entry.
    """
    records = fetched(_statement(cohort, split))
    rows = [_row(record, cohort.steps) for record in records]
    parts = [row for row in rows if row.key is not None]
    whole = next((row for row in rows if row.key is None), _row(_NOBODY, cohort.steps))
    return whole, parts


def _statement(cohort: Cohort, split: Split) -> Sql:
    """Return the statement for all figures: the sums of the days put together as they are shown."""
    by_month = split is Split.MONTH
    tables = sums(cohort, {WHOLE} if by_month else {WHOLE, split.value})
    counts = ", ".join(f"sum({each})::bigint AS {each}" for each in COUNTS)
    times = ", ".join(f"string_agg({each}, '') AS {each}" for each in TIMES)
    key = "to_char(day, 'YYYY-MM')" if by_month else "key"
    text = f"""
      {tables.text}
      SELECT NULL AS key, {counts}, {times} FROM part WHERE by = '{WHOLE}' HAVING count(*) > 0
      UNION ALL
      SELECT {key}, {counts}, {", ".join(["NULL"] * len(TIMES))}
      FROM part WHERE by = %(rows)s GROUP BY 1
      ORDER BY {cohort.basis.lower()} DESC, key"""  # noqa: S608 -- names from this module only
    return Sql(text, {**tables.params, "rows": WHOLE if by_month else split.value})


def cohort_rows(cohort: Cohort) -> Iterator[tuple[Any, ...]]:
    """Yield one row per lead or cycle of the cohort, as ``pages.FUNNEL_HEADER`` names them."""
    asked = units(cohort.basis, cohort.unit, [(cohort.start, cohort.end)])
    steps = ", ".join(f"unit.{step.lower()}_at" for step in STEPS)
    flags = "unit.is_lost, unit.is_recycled, unit.is_disqualified, unit.is_overridden"
    sql = f"""
      SELECT lead.id, concat_ws(' ', lead.first_name, lead.last_name), lead.email, lead.source,
        unit.cycle, unit.began_at, {steps}, {flags}
      FROM ({asked.text}) AS unit
      JOIN leads_lead lead ON lead.id = unit.lead_id AND lead.merged_into_id IS NULL
      ORDER BY unit.began_at, lead.id, unit.cycle"""  # noqa: S608 -- names from this module only
    with connection.cursor() as cursor:
        cursor.execute(sql, asked.params)
        while rows := cursor.fetchmany(2000):
            yield from rows


def part_q(split: Split, key: str) -> Q:
    """Return the filter over Lead for one part; not for months, which are cohorts of their own."""
    if split is not Split.PERSONA:
        return Q(**{split.value: key})
    return Q(score__persona=key) if key else Q(score__isnull=True) | Q(score__persona="")


def reached_q(cohort: Cohort, step: str) -> Q:
    """Return the filter over Lead for the people one figure of the funnel counts.

    ``step`` is a step, an exit, ``OVERRIDDEN`` or ``OPEN`` (accepted, no verdict yet).
    """
    entries = StageInterval.objects.filter(
        lead=OuterRef("pk"), stage=cohort.basis, started_at__gte=cohort.start,
        started_at__lt=cohort.end,
    )  # fmt: skip
    earlier = StageInterval.objects.filter(stage=cohort.basis, started_at__lt=cohort.start)
    if cohort.unit is Unit.CYCLES:
        same = earlier.filter(lead=OuterRef("lead"), cycle=OuterRef("cycle"))
        return Q(Exists(_of_cycle(entries.filter(~Exists(same)), step)))
    person = Q(Exists(entries)) & ~Q(Exists(earlier.filter(lead=OuterRef("pk"))))
    own = StageInterval.objects.filter(lead=OuterRef("pk"))
    return person if step == cohort.basis else person & Q(Exists(_proof(own, step)))


def _of_cycle(entries: QuerySet[StageInterval], step: str) -> QuerySet[StageInterval]:
    """Return the entries whose own cycle reached ``step``."""
    # Entering RECYCLED opens the next cycle and is the exit of the one before.
    same_cycle = Q(cycle=OuterRef("cycle")) & ~Q(stage=S.RECYCLED)
    its_exit = Q(cycle=OuterRef("cycle") + 1, stage=S.RECYCLED)
    same = StageInterval.objects.filter(same_cycle | its_exit, lead=OuterRef("lead"))
    return entries.filter(Exists(_proof(same, step)))


def _proof(intervals: QuerySet[StageInterval], step: str) -> QuerySet[StageInterval]:
    """Return the intervals that prove ``step``."""
    if step == "OVERRIDDEN":
        return intervals.filter(is_override=True)
    if step == "OPEN":
        return intervals.filter(stage=S.SAL, ended_at__isnull=True)
    return intervals.filter(stage__in=REACHED.get(step, (step,)))


_NOBODY = {"key": None, **dict.fromkeys(COUNTS, 0), **dict.fromkeys(TIMES)}


def _row(record: Mapping[str, Any], steps: tuple[str, ...]) -> FunnelRow:
    is_whole = record["key"] is None
    return FunnelRow(
        key=record["key"],
        reached={step: record[step.lower()] for step in steps},
        skipped={step: record[f"no_{step.lower()}"] for step in steps},
        exits={name: record[name.lower()] for name in EXITS},
        overridden=record["overridden"],
        in_progress=record["in_progress"],
        median_time={step: _median(record, step) for step in steps[1:]} if is_whole else {},
    )


def _median(record: Mapping[str, Any], step: str) -> timedelta | None:
    return time_within(read_minutes(record[f"to_{step.lower()}"]), 50)

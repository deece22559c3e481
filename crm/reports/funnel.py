"""The funnel: how far the leads of a cohort came, or who moved, read from stage intervals alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection

from crm.reports.cohorts import EXITS, STEPS, Cohort, Split, units
from crm.reports.days import Sql, fetched
from crm.reports.funnel_sums import COUNTS, TIMES, WHOLE, sums
from crm.reports.minutes import read_minutes, time_within


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
      ORDER BY {cohort.steps[0].lower()} DESC, key"""  # noqa: S608 -- names from this module only
    return Sql(text, {**tables.params, "rows": WHOLE if by_month else split.value})


def cohort_rows(cohort: Cohort) -> Iterator[tuple[Any, ...]]:
    """Yield one row per lead or cycle of a cohort, as ``pages.FUNNEL_HEADER`` names them."""
    asked = units(cohort.basis, cohort.unit, [(cohort.start, cohort.end)])
    steps = ", ".join(f"unit.{step.lower()}_at" for step in STEPS)
    flags = "unit.is_lost, unit.is_recycled, unit.is_disqualified, unit.is_overridden"
    sql = f"""
      SELECT lead.id, concat_ws(' ', lead.first_name, lead.last_name), lead.email, lead.source,
        unit.cycle, unit.began_at, {steps}, {flags}
      FROM ({asked.text}) AS unit
      JOIN leads_lead lead ON lead.id = unit.lead_id AND lead.merged_into_id IS NULL
      ORDER BY unit.began_at, lead.id, unit.cycle"""  # noqa: S608 -- names from this module only
    return _rows(sql, asked.params)


def move_rows(cohort: Cohort) -> Iterator[tuple[Any, ...]]:
    """Yield one row per step to which a lead or cycle came, as ``pages.FLOW_HEADER`` names them."""
    asked = units(cohort.basis, cohort.unit, [(cohort.start, cohort.end)])
    moments = ", ".join(f"('{step}', unit.to_{step.lower()}_at)" for step in STEPS)
    exits = ", ".join(f"('{name}', unit.{name.lower()}_at)" for name in EXITS)
    sql = f"""
      SELECT lead.id, concat_ws(' ', lead.first_name, lead.last_name), lead.email, lead.source,
        unit.cycle, move.step, move.at
      FROM ({asked.text}) AS unit
      JOIN leads_lead lead ON lead.id = unit.lead_id AND lead.merged_into_id IS NULL
      CROSS JOIN LATERAL (VALUES {moments}, {exits}) AS move (step, at)
      WHERE move.at >= %(start_0)s AND move.at < %(end_0)s
      ORDER BY move.at, lead.id, unit.cycle, move.step"""  # noqa: S608 -- names from this module
    return _rows(sql, asked.params)


def _rows(sql: str, params: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(2000):
            yield from rows


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

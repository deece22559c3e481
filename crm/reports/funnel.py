"""The funnel: how far the leads of a cohort came, read from stage intervals alone.

A cohort is every lead (or every cycle of a lead) that entered a stage for the first time in a
period, wherever it stands today. A step counts who reached it or anything beyond it; who got beyond
it without a recorded stay is also counted as skipped.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from leads.enums import LifecycleStage
from leads.models import StageInterval

S = LifecycleStage

#: Each step with every stage that proves it was reached; a lost deal was an SQL before.
REACHED: Mapping[str, tuple[str, ...]] = {
    "LEAD": (S.LEAD, S.MQL, S.SAL, S.SQL, S.WON, S.LOST, S.RECYCLED, S.DISQUALIFIED),
    "MQL": (S.MQL, S.SAL, S.SQL, S.WON, S.LOST),
    "SAL": (S.SAL, S.SQL, S.WON, S.LOST),
    "SQL": (S.SQL, S.WON, S.LOST),
    "WON": (S.WON,),
}
STEPS = tuple(REACHED)
EXITS = ("RECYCLED", "DISQUALIFIED", "LOST")

#: How far along the steps each stage proves that somebody came.
_FURTHEST = {stage: sum(stage in proofs for proofs in REACHED.values()) for stage in S.values}


class Unit(StrEnum):
    """What one count stands for."""

    PEOPLE = "people"
    CYCLES = "cycles"


class Split(StrEnum):
    """What the rows of the table below the funnel are."""

    SOURCE = "source"
    CAMPAIGN = "campaign"
    PERSONA = "persona"
    MONTH = "month"


@dataclass(frozen=True)
class Cohort:
    """Who is counted: first entry into ``basis`` from ``start`` (included) to ``end`` (not)."""

    basis: str
    start: datetime
    end: datetime
    unit: Unit = Unit.PEOPLE

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the steps from the basis on."""
        return STEPS[STEPS.index(self.basis) :]


@dataclass(frozen=True)
class FunnelRow:
    """The counts of one cohort or of one part of it; ``key`` is None for the whole.

    ``median_time[step]`` is the time from the step before to ``step`` among those with both; parts
    have none.
    """

    key: str | None
    reached: Mapping[str, int]
    skipped: Mapping[str, int]
    exits: Mapping[str, int]
    overridden: int
    in_progress: int
    median_time: Mapping[str, timedelta | None] = field(default_factory=dict)


def funnel(cohort: Cohort, *, split: Split, zone: str) -> tuple[FunnelRow, list[FunnelRow]]:
    """Return the whole cohort and its parts by ``split``.

    Args:
        cohort: who is counted.
        split: by what the lead has now, or by the month of the first entry in ``zone``.
        zone: IANA name of the zone in which months begin.
    """
    with connection.cursor() as cursor:
        cursor.execute(_sql(cohort, split), _params(cohort, zone))
        names = [column[0] for column in cursor.description or ()]
        records = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    parts = [_part(record, cohort.steps) for record in records]
    medians = {
        step: records[0][f"to_{step.lower()}"] if records else None for step in cohort.steps[1:]
    }
    return _whole(cohort, parts, medians), parts


def cohort_rows(cohort: Cohort) -> Iterator[tuple[Any, ...]]:
    """Yield one row per lead or cycle of the cohort, as ``pages.FUNNEL_HEADER`` names them."""
    steps = ", ".join(f"unit.{step.lower()}_at" for step in STEPS)
    flags = "unit.is_lost, unit.is_recycled, unit.is_disqualified, unit.is_overridden"
    sql = f"""{_units(cohort)}
      SELECT lead.id, concat_ws(' ', lead.first_name, lead.last_name), lead.email, lead.source,
        unit.cycle, unit.began_at, {steps}, {flags}
      FROM unit JOIN leads_lead lead ON lead.id = unit.lead_id AND lead.merged_into_id IS NULL
      ORDER BY unit.began_at, lead.id, unit.cycle"""  # noqa: S608 -- names from this module only
    with connection.cursor() as cursor:
        cursor.execute(sql, _params(cohort, "UTC"))
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


def _params(cohort: Cohort, zone: str) -> dict[str, Any]:
    return {"basis": cohort.basis, "start": cohort.start, "end": cohort.end, "zone": zone}


_KEYS = {
    Split.SOURCE: "lead.source",
    Split.CAMPAIGN: "lead.campaign",
    Split.PERSONA: "coalesce(score.persona, '')",
    Split.MONTH: "to_char(unit.began_at AT TIME ZONE %(zone)s, 'YYYY-MM')",
}
_JOINS = {Split.PERSONA: "LEFT JOIN scoring_leadscore score ON score.lead_id = lead.id"}
_CYCLES = {
    Unit.PEOPLE: "NULL::int",
    Unit.CYCLES: "(CASE own.stage WHEN 'RECYCLED' THEN own.cycle - 1 ELSE own.cycle END)::int",
}
_BEGAN = "min(own.started_at) FILTER (WHERE own.stage = %(basis)s)"


def _sql(cohort: Cohort, split: Split) -> str:
    """Return one statement for the parts, each beside the medians of the whole."""
    return f"""{_units(cohort)},
      counted AS MATERIALIZED (
        SELECT unit.*, {_KEYS[split]} AS key
        FROM unit JOIN leads_lead lead ON lead.id = unit.lead_id AND lead.merged_into_id IS NULL
          {_JOINS.get(split, "")}),
      median AS (SELECT {", ".join(_medians(cohort))} FROM counted),
      part AS (SELECT key, {", ".join(_counts())} FROM counted GROUP BY key)
      SELECT * FROM part, median
      ORDER BY {cohort.basis.lower()} DESC, key"""  # noqa: S608 -- names from this module only


def _units(cohort: Cohort) -> str:
    """Return the leads or cycles of the cohort with what is asked of each, as a ``WITH`` clause.

    Whoever entered the basis within the period is read whole; who had entered it before is not of
    the cohort.
    """
    return f"""
      WITH unit AS (
        SELECT own.lead_id, {_CYCLES[cohort.unit]} AS cycle, {_BEGAN} AS began_at,
          {", ".join(_per_unit())}
        FROM leads_stageinterval own
        WHERE own.lead_id IN (
          SELECT entry.lead_id FROM leads_stageinterval entry
          WHERE entry.stage = %(basis)s
            AND entry.started_at >= %(start)s AND entry.started_at < %(end)s)
        GROUP BY 1, 2
        HAVING {_BEGAN} >= %(start)s AND {_BEGAN} < %(end)s)"""  # noqa: S608 -- as above


def _per_unit() -> list[str]:
    """Return what one lead or cycle is asked: when it entered each step, and how far it came."""
    far = " ".join(f"WHEN '{stage}' THEN {steps}" for stage, steps in _FURTHEST.items())
    asked = [
        f"max(CASE own.stage {far} END) AS furthest",
        "bool_or(own.is_override) AS is_overridden",
        "bool_or(own.stage = 'SAL' AND own.ended_at IS NULL) AS is_in_progress",
    ]
    for step in STEPS:
        entered = f"own.stage = '{step}'"
        asked.append(f"min(own.started_at) FILTER (WHERE {entered}) AS {step.lower()}_at")
    return asked + [f"bool_or(own.stage = '{out}') AS is_{out.lower()}" for out in EXITS]


def _counts() -> list[str]:
    """Return what all units together are asked."""
    asked = []
    for at, step in enumerate(map(str.lower, STEPS), start=1):
        reached = f"furthest >= {at}"
        asked.append(f"count(*) FILTER (WHERE {reached}) AS {step}")
        asked.append(f"count(*) FILTER (WHERE {reached} AND {step}_at IS NULL) AS no_{step}")
    flags = (*map(str.lower, EXITS), "overridden", "in_progress")
    return asked + [f"count(*) FILTER (WHERE is_{flag}) AS {flag}" for flag in flags]


def _medians(cohort: Cohort) -> list[str]:
    """Return the median times between the steps of a cohort."""
    return [
        f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {after}_at - {before}_at) AS to_{after}"
        for before, after in itertools.pairwise(map(str.lower, cohort.steps))
    ]


def _part(record: Mapping[str, Any], steps: tuple[str, ...]) -> FunnelRow:
    return FunnelRow(
        key=record["key"],
        reached={step: record[step.lower()] for step in steps},
        skipped={step: record[f"no_{step.lower()}"] for step in steps},
        exits={name: record[name.lower()] for name in EXITS},
        overridden=record["overridden"],
        in_progress=record["in_progress"],
    )


def _whole(
    cohort: Cohort, parts: Sequence[FunnelRow], medians: Mapping[str, timedelta | None]
) -> FunnelRow:
    """Return the sums of the parts, which have nobody in common."""
    return FunnelRow(
        key=None,
        reached={step: sum(part.reached[step] for part in parts) for step in cohort.steps},
        skipped={step: sum(part.skipped[step] for part in parts) for step in cohort.steps},
        exits={name: sum(part.exits[name] for part in parts) for name in EXITS},
        overridden=sum(part.overridden for part in parts),
        in_progress=sum(part.in_progress for part in parts),
        median_time=medians,
    )

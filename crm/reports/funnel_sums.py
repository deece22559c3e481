"""Cohorts summed by day: read where a day was counted beforehand, counted now where not.

Both come from one text around the query of the file, so a sum cannot differ from its rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm.reports.cohorts import BASES, EXITS, FLOW, STEPS, Cohort, Split, Unit, units
from crm.reports.days import Day, Sql, days_of, ids_of, runs_of
from crm.reports.models import FunnelChange, FunnelDay

_COUNTED = tuple(map(str.lower, STEPS))
FLAGS = (*map(str.lower, EXITS), "overridden", "in_progress")
COUNTS = (*_COUNTED, *(f"no_{step}" for step in _COUNTED), *FLAGS)
TIMES = tuple(f"to_{step}" for step in _COUNTED[1:])
#: Of a row of ``reports_funnelsum``, and of one that is counted now beside its day.
SUMMED = ("by", "key", *COUNTS, *TIMES)
COLUMNS = ("day", *SUMMED)
#: What the sum of all is kept by; months are put together from its days.
WHOLE = ""
_KEYS = {
    WHOLE: "''",
    Split.SOURCE: "source",
    Split.CAMPAIGN: "campaign",
    Split.PERSONA: "persona",
    Split.REP: "rep",
    Split.NURTURE: "nurture",
}
#: A person was in nurture who was ever recycled; a cycle comes from there that began with it.
_IN_NURTURE = {
    Unit.PEOPLE: "unit.is_recycled",
    Unit.CYCLES: """unit.cycle > 1 AND EXISTS (
                    SELECT FROM leads_stageinterval woken WHERE woken.lead_id = unit.lead_id
                        AND woken.stage = 'RECYCLED' AND woken.cycle = unit.cycle)""",
}
KEPT_BY = tuple(_KEYS)
NURTURED, DIRECT = "nurtured", "direct"
#: When a lead or cycle of the flow came to each step, to each exit, and to its first override.
_MOMENTS = (*(f"to_{step}_at" for step in _COUNTED), *(f"{flag}_at" for flag in FLAGS[:-1]))
KINDS = tuple(itertools.product(BASES, Unit))


def counted_now(basis: str, unit: Unit, days: Sequence[Day], by: Collection[str]) -> Sql:
    """Return the select that sums who began, or moved, on one of ``days``, which are in order.

    Its columns are ``COLUMNS`` and ``began_at``, the beginning of the day.
    """
    asked = units(basis, unit, runs_of(days))
    values = ", ".join(f"('{each}', {_KEYS[each]})" for each in by)
    places = _place("unit.began_at")
    figures = _figures()
    if basis == FLOW:
        moments = ", ".join(f"({_place(f'unit.{moment}')})" for moment in _MOMENTS)
        places = f"DISTINCT each.place FROM (VALUES {moments}) AS each (place)"
        figures = _moved()
    text = f"""
        SELECT (%(edges)s::timestamptz[])[place] AS began_at, (%(days)s::date[])[place] AS day,
            slot.by, slot.key, {", ".join(figures)}
        FROM (
            SELECT unit.*, on_day.place, {_facts(unit, by)}
            FROM ({asked.text}) AS unit
            CROSS JOIN LATERAL (SELECT {places}) AS on_day (place)
            JOIN leads_lead lead ON lead.id = unit.lead_id AND lead.merged_into_id IS NULL
            LEFT JOIN scoring_leadscore score ON score.lead_id = lead.id
            WHERE (%(days)s::date[])[on_day.place] IS NOT NULL) AS counted
        CROSS JOIN LATERAL (VALUES {values}) AS slot (by, key)
        GROUP BY place, slot.by, slot.key"""  # noqa: S608 -- names from this module
    return Sql(text, {**asked.params, **_edges(days)})


def _facts(unit: Unit, by: Collection[str]) -> str:
    """Return the columns that the keys of ``by`` are read from; others cost nothing."""
    facts = ["lead.source", "lead.campaign", "coalesce(score.persona, '') AS persona"]
    if Split.REP in by:
        same = "AND handoff.cycle = unit.cycle" if unit is Unit.CYCLES else ""
        facts.append(f"""
                coalesce((SELECT handoff.holder_id::text FROM handoff_handoff handoff
                    WHERE handoff.lead_id = unit.lead_id {same}
                    ORDER BY handoff.id DESC LIMIT 1), '') AS rep""")  # noqa: S608
    if Split.NURTURE in by:
        was = f"CASE WHEN {_IN_NURTURE[unit]} THEN '{NURTURED}' ELSE '{DIRECT}' END"
        facts.append(f"{was} AS nurture")
    return ", ".join(facts)


def _edges(days: Sequence[Day]) -> Mapping[str, Any]:
    """Return when days and the gaps between them begin, and which days; a gap is none."""
    edges: list[datetime] = []
    names: list[date | None] = []
    for each in days:
        if edges and edges[-1] == each.began_at:
            del edges[-1], names[-1]
        edges += [each.began_at, each.ended_at]
        names += [each.day, None]
    return {"edges": edges, "days": names}


def _place(moment: str) -> str:
    return f"width_bucket({moment}, %(edges)s::timestamptz[])"


def sums(cohort: Cohort, by: Collection[str]) -> Sql:
    """Return the beginning of a statement, the table ``part``: the sums of each day of a cohort.

    Its columns are ``COLUMNS``, its days those of the active zone. A day that was counted
    beforehand is read where it still says what is; all others are counted now.
    """
    days = list(days_of(cohort.start, cohort.end))
    kept = counted_beforehand(cohort.basis, cohort.unit, days)
    columns = ", ".join(COLUMNS)
    parts = [
        f"""SELECT {columns}
            FROM reports_funnelsum JOIN (SELECT id AS day_id, day FROM reports_funnelday)
                AS funnel_day USING (day_id)
            WHERE day_id = ANY(%(kept)s) AND by = ANY(%(by)s)"""  # noqa: S608
    ]
    params: dict[str, Any] = {"kept": list(kept.values()), "by": list(by)}
    open_days = [each for each in days if each.began_at not in kept]
    if open_days:
        live = counted_now(cohort.basis, cohort.unit, open_days, by)
        parts.append(f"SELECT {columns} FROM ({live.text}) AS live")  # noqa: S608
        params |= live.params
    return Sql(f"WITH part AS MATERIALIZED ({' UNION ALL '.join(parts)})", params)


def counted_beforehand(basis: str, unit: Unit, days: Sequence[Day]) -> Mapping[datetime, int]:
    """Return which of ``days``, by their beginning, are counted and hold: their ids."""
    if not days:
        return {}
    changed = FunnelChange.objects.touching(
        OuterRef("basis"), OuterRef("began_at"), OuterRef("ended_at")
    )
    holding = FunnelDay.objects.filter(
        zone=timezone.get_current_timezone_name(),
        basis=basis,
        unit=unit.value,
        day__range=(days[0].day, days[-1].day),
        counted_at__isnull=False,
    ).exclude(Exists(changed))
    return ids_of(days, holding)


def _figures() -> Iterator[str]:
    """Yield the figures of a sum of a cohort, as ``SUMMED`` names them."""
    for at, step in enumerate(_COUNTED, start=1):
        yield f"count(*) FILTER (WHERE furthest >= {at}) AS {step}"
        yield f"count(*) FILTER (WHERE furthest >= {at} AND {step}_at IS NULL) AS no_{step}"
    yield from (f"count(*) FILTER (WHERE is_{flag}) AS {flag}" for flag in FLAGS)
    yield from (_times(before, after) for before, after in itertools.pairwise(_COUNTED))


def _moved() -> Iterator[str]:
    """Yield the figures of a sum of the flow: of those who came there on the day."""
    for step in _COUNTED:
        came = f"{_place(f'to_{step}_at')} = place"
        yield f"count(*) FILTER (WHERE {came}) AS {step}"
        yield f"count(*) FILTER (WHERE {came} AND {step}_at IS NULL) AS no_{step}"
    for flag in FLAGS[:-1]:
        yield f"count(*) FILTER (WHERE {_place(f'{flag}_at')} = place) AS {flag}"
    yield f"0 AS {FLAGS[-1]}"  # who is in work is no move
    for before, after in itertools.pairwise(_COUNTED):
        yield _times(before, after, f" AND {_place(f'to_{after}_at')} = place")


def _times(before: str, after: str, also: str = "") -> str:
    """Return the times from one step to the next, in minutes, a begun one counted."""
    minutes = f"ceil(extract(epoch FROM {after}_at - {before}_at) / 60)::int"
    # Who was put back by an override may have come to the later one first: that took no time.
    timed = f"slot.by = '{WHOLE}' AND {after}_at >= {before}_at{also}"
    return (
        f"string_agg(int4send({minutes}), '' ORDER BY {after}_at - {before}_at)"
        f" FILTER (WHERE {timed}) AS to_{after}"
    )

"""Cohorts summed by day: read where a day was counted beforehand, counted now where not.

Both come from one text around the query of the file, so a sum cannot differ from its rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm.reports.cohorts import BASES, EXITS, STEPS, Cohort, Split, Unit, units
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
}
KEPT_BY = tuple(_KEYS)
KINDS = tuple(itertools.product(BASES, Unit))


def counted_now(basis: str, unit: Unit, days: Sequence[Day], by: Collection[str]) -> Sql:
    """Return the select that sums who began on one of ``days``, which are in order.

    Its columns are ``COLUMNS`` and ``began_at``, the beginning of the day.
    """
    asked = units(basis, unit, runs_of(days))
    values = ", ".join(f"('{each}', {_KEYS[each]})" for each in by)
    text = f"""
        SELECT (%(begun)s::timestamptz[])[place] AS began_at, (%(days)s::date[])[place] AS day,
            slot.by, slot.key, {", ".join(_figures())}
        FROM (
            SELECT unit.*, width_bucket(unit.began_at, %(begun)s::timestamptz[]) AS place,
                lead.source, lead.campaign, coalesce(score.persona, '') AS persona
            FROM ({asked.text}) AS unit
            JOIN leads_lead lead ON lead.id = unit.lead_id AND lead.merged_into_id IS NULL
            LEFT JOIN scoring_leadscore score ON score.lead_id = lead.id) AS counted
        CROSS JOIN LATERAL (VALUES {values}) AS slot (by, key)
        GROUP BY place, slot.by, slot.key"""  # noqa: S608 -- names from this module
    edges = {"begun": [each.began_at for each in days], "days": [each.day for each in days]}
    return Sql(text, {**asked.params, **edges})


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
    """Yield the figures of a sum, as ``SUMMED`` names them."""
    for at, step in enumerate(_COUNTED, start=1):
        yield f"count(*) FILTER (WHERE furthest >= {at}) AS {step}"
        yield f"count(*) FILTER (WHERE furthest >= {at} AND {step}_at IS NULL) AS no_{step}"
    yield from (f"count(*) FILTER (WHERE is_{flag}) AS {flag}" for flag in FLAGS)
    for before, after in itertools.pairwise(_COUNTED):
        # In minutes, a begun one counted, as response times are.
        minutes = f"ceil(extract(epoch FROM {after}_at - {before}_at) / 60)::int"
        timed = f"slot.by = '{WHOLE}' AND {after}_at IS NOT NULL AND {before}_at IS NOT NULL"
        yield (
            f"string_agg(int4send({minutes}), '' ORDER BY {after}_at - {before}_at)"
            f" FILTER (WHERE {timed}) AS to_{after}"
        )

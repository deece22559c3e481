"""The figures of a back-test, counted from its cycles once they are all there.

A percentage always comes with the number it is a share of. Of a cycle that sales never had nobody
knows whether it was right to pass it on: precision is a share of what sales decided, and the rest
is counted beside it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from psycopg.sql import SQL, Composable, Identifier

from scoring.models import BackTest
from scoring.slots import sales_loads
from scoring.sql import record, rows

DRAFT, FORMER = "draft", "former"
#: Where score bands begin, in tenths: whole quarters, whatever the levels of a model are.
BANDS = (0, 250, 500, 750)
DECILES = 10

_OF_SIDE = SQL("""
    SELECT count({mql}) AS mqls,
        count({mql}) FILTER (WHERE {decided}) AS decided,
        count({mql}) FILTER (WHERE sql_at IS NOT NULL) AS became_sql,
        count({mql}) FILTER (WHERE won_at IS NOT NULL) AS became_won,
        count({mql}) FILTER (WHERE refused_at IS NOT NULL) AS refused,
        count(sql_at) AS sqls, count(won_at) AS wons,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', sql_at - {mql}))
            FILTER (WHERE sql_at IS NOT NULL AND {mql} IS NOT NULL) / 86400 AS days_ahead,
        count(*) FILTER (WHERE mql_at IS NOT NULL AND {mql} IS NOT NULL) AS compared,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', mql_at - {mql}))
            FILTER (WHERE mql_at IS NOT NULL AND {mql} IS NOT NULL) / 86400 AS days_gained
    FROM scoring_backtestcycle WHERE back_test_id = {pk}
""")
_DECIDED = SQL("(sql_at IS NOT NULL OR refused_at IS NOT NULL)")
_BANDS = SQL(
    "SELECT least({score} / 250, 3) AS band, count(*), count(sql_at)"
    " FROM scoring_backtestcycle WHERE back_test_id = {pk} AND {score} IS NOT NULL"
    " GROUP BY 1 ORDER BY 1"
)
_DECILES = SQL(
    "SELECT decile, count(*), count(sql_at) FROM ("
    "SELECT sql_at, ntile({deciles}) OVER (ORDER BY {rank} DESC, lead_id) AS decile"
    " FROM scoring_backtestcycle WHERE back_test_id = {pk} AND {rank} IS NOT NULL"
    ") AS ranked GROUP BY 1 ORDER BY 1"
)
_WEEKS = SQL("""
    SELECT date_trunc('week', at AT TIME ZONE {zone})::date AS week,
        count(*) FILTER (WHERE side = 'former'), count(*) FILTER (WHERE side = 'draft')
    FROM scoring_backtestcycle CROSS JOIN LATERAL (
        VALUES ('draft', draft_mql_at), ('former', former_mql_at)) AS met (side, at)
    WHERE back_test_id = {pk} AND at IS NOT NULL GROUP BY 1 ORDER BY 1
""")
_CHANGES = SQL(
    "SELECT change, count(*), count(sql_at), count(won_at), count(refused_at)"
    " FROM scoring_backtestcycle WHERE back_test_id = {} GROUP BY 1"
)


def summed_up(back_test: BackTest, *, now: datetime) -> dict[str, Any]:
    """Return the figures of a back-test whose cycles are all written, as JSON; spans in days."""
    sides = [DRAFT, FORMER] if back_test.former_id else [DRAFT]
    zone = timezone.get_current_timezone_name()
    weeks = rows(_WEEKS.format(pk=back_test.pk, zone=zone))
    loads = [load.ask(back_test.starts_at, back_test.ends_at, now) for load in sales_loads]
    return {
        "cycles": back_test.cycles.count(),
        "leads": back_test.cycles.values("lead").distinct().count(),
        "sides": {side: _side(back_test, side) for side in sides},
        "changes": {
            change: {"cycles": cycles, "sqls": sqls, "wons": wons, "refused": refused}
            for change, cycles, sqls, wons, refused in rows(_CHANGES.format(back_test.pk))
        },
        "weeks": [
            {"week": week.isoformat(), FORMER: former, DRAFT: draft}
            for week, former, draft in weeks
        ],
        "load": loads[0] if loads else None,
    }


def _side(back_test: BackTest, side: str) -> dict[str, Any]:
    """Return the figures of one model."""
    filled: dict[str, Composable] = {
        name: Identifier(f"{side}_{column}")
        for name, column in (("mql", "mql_at"), ("score", "score"), ("rank", "rank"))
    }
    filled["decided"] = _DECIDED
    figures = record(_asked(_OF_SIDE, back_test, filled))
    found = {band: (cycles, sqls) for band, cycles, sqls in rows(_asked(_BANDS, back_test, filled))}
    bands = [found.get(band, (0, 0)) for band in range(len(BANDS))]
    deciles = rows(_asked(_DECILES, back_test, filled))
    return {
        **figures,
        "bands": [{"cycles": cycles, "sqls": sqls} for cycles, sqls in bands],
        "deciles": [{"cycles": cycles, "sqls": sqls} for _, cycles, sqls in deciles],
    }


def _asked(query: SQL, back_test: BackTest, filled: dict[str, Composable]) -> Composable:
    return query.format(pk=back_test.pk, deciles=DECILES, **filled)

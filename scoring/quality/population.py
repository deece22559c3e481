"""Who is compared: the latest MQL cycles whose time has come, each as of its decision moment.

That moment is the MQL; where a history skips MQLs altogether, the capture of each lead. Cycles
younger than nine of ten took to become SQL are left out: they would take "not yet" for "no".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from psycopg.sql import SQL, Composed

from scoring.outcomes import mql_cycles
from scoring.past import past_events, past_leads
from scoring.sql import Tables, record, rows

#: So many tell small differences apart; a day's work of the database would not tell more. Our
#: choice.
MOST_CASES = 20_000

_CYCLES = SQL("CREATE TEMPORARY TABLE quality_cycle ON COMMIT DROP AS {}")
#: What is measured of a case. A deal is closed once it is won or lost.
_OUTCOMES = SQL(
    "coalesce(sql_at IS NOT NULL, false) AS is_sql, coalesce(won_at IS NOT NULL, false) AS is_won,"
    " coalesce(won_at IS NOT NULL OR lost_at IS NOT NULL, false) AS is_closed,"
    " coalesce(accepted_at IS NOT NULL, false) AS is_accepted,"
    " coalesce(refused_at IS NOT NULL, false) AS is_refused,"
    " coalesce(refusal_reason, '') AS refusal_reason, model_version"
)
_AT_MQL = SQL(
    "SELECT lead_id, cycle, mql_at AS as_of, known_at, sql_at, {outcomes}"
    " FROM quality_cycle WHERE NOT is_skipped"
)
_AT_CAPTURE = SQL(
    "SELECT lead.id AS lead_id, 1 AS cycle, lead.created_at AS as_of,"
    " CASE WHEN lead.imported_at IS NULL THEN lead.created_at ELSE {now} END AS known_at,"
    " first.sql_at, {outcomes} FROM leads_lead lead LEFT JOIN ("
    "SELECT DISTINCT ON (lead_id) * FROM quality_cycle ORDER BY lead_id, cycle) AS first"
    " ON first.lead_id = lead.id WHERE lead.created_at <= {now} AND lead.merged_into_id IS NULL"
)
_PATIENCE = SQL(
    "SELECT coalesce(percentile_disc(0.9) WITHIN GROUP (ORDER BY sql_at - as_of), '0')"
    " FROM ({}) AS told WHERE sql_at IS NOT NULL"
)
_ASKED = SQL(
    "CREATE TEMPORARY TABLE quality_asked ON COMMIT DROP AS SELECT * FROM ({told}) AS told"
    " WHERE as_of <= {latest} ORDER BY as_of DESC, lead_id DESC LIMIT {most}"
)
_TOTALS = SQL(
    "SELECT count(*) AS cases, count(*) FILTER (WHERE is_sql) AS sqls,"
    " count(*) FILTER (WHERE is_won) AS won, count(*) FILTER (WHERE is_closed) AS closed,"
    " count(*) FILTER (WHERE is_refused) AS refused, min(as_of) AS first_at, max(as_of) AS last_at,"
    " coalesce(max(cycle), 0) AS cycles FROM quality_asked"
)


@dataclass(frozen=True, slots=True)
class Population:
    """How many cases there are and how they went, the oldest and the latest, and the time given.

    ``is_by_capture`` says that there are no MQLs to compare, so that all leads are. ``cycles`` is
    the highest number of a cycle.
    """

    cases: int
    sqls: int
    won: int
    closed: int
    refused: int
    first_at: datetime | None
    last_at: datetime | None
    cycles: int
    patience: timedelta
    is_by_capture: bool


def gather(*, now: datetime) -> Population:
    """Fill the tables ``quality_cycle`` and ``quality_asked``, which last for the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS quality_cycle, quality_asked")
        cursor.execute(_CYCLES.format(mql_cycles(now=now)))
        [[has_mqls]] = rows(SQL("SELECT EXISTS (SELECT FROM quality_cycle WHERE NOT is_skipped)"))
        told = _told(now, has_mqls=has_mqls)
        [[patience]] = rows(_PATIENCE.format(told))
        cursor.execute(_ASKED.format(told=told, latest=now - patience, most=MOST_CASES))
        cursor.execute("CREATE INDEX ON quality_asked (cycle, lead_id); ANALYZE quality_asked")
    return Population(**record(_TOTALS), patience=patience, is_by_capture=not has_mqls)


def _told(now: datetime, *, has_mqls: bool) -> Composed:
    told = _AT_MQL if has_mqls else _AT_CAPTURE
    return told.format(outcomes=_OUTCOMES, now=now)


def asked_in(cycle: int) -> Composed:
    """Ask for the cases of one cycle, so that a lead is asked for once."""
    return SQL("SELECT lead_id, as_of, known_at FROM quality_asked WHERE cycle = {}").format(cycle)


def then_known(cycle: int) -> Tables:
    """Return the tables of leads and events as they were known at the moment of each case."""
    lead_ids = SQL("ARRAY(SELECT lead_id FROM quality_asked WHERE cycle = {})").format(cycle)
    moment = SQL("(SELECT {} FROM quality_asked WHERE cycle = {} AND lead_id = {})")
    as_of = moment.format(SQL("as_of"), cycle, SQL("lead.id"))
    known_at = moment.format(SQL("known_at"), cycle, SQL("event.lead_id"))
    return [past_events(lead_ids, known_at=known_at), past_leads(lead_ids, as_of=as_of)]

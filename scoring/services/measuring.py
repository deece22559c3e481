"""Measuring how well the rules of a model tell leads apart, once a day and when asked."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max
from psycopg.sql import SQL, Composed

from crm.accounts.models import User
from leads.models import Lead
from scoring.definition import Definition
from scoring.fit import fit_tables, of_range
from scoring.models import QualityReport, ScoringModel
from scoring.quality.candidates import Counts, acts_in_common, attributes_in_common, distinct
from scoring.quality.lines import LineKey, hits_by_cycle, line_keys
from scoring.quality.population import Population, gather
from scoring.quality.proposals import is_covered
from scoring.quality.refusals import (
    as_json as refusals_as_json,
)
from scoring.quality.refusals import carried_by, refusal_table, refusal_versions
from scoring.quality.results import (
    LineCounts,
    LineQuality,
    Suggestion,
    as_json,
    judge_lines,
    suggest,
)
from scoring.query import engagement_tables
from scoring.services.publishing import definition_of, published_model
from scoring.sql import column, commas, rows, with_tables

logger = logging.getLogger(__name__)

#: What is measured changes slowly. Our choice.
EVERY = timedelta(days=1)
#: Measuring that was begun so often and never finished is given up.
MOST_ATTEMPTS = 3
#: Leads that were never MQL, counted by one statement.
RANGE = 100_000

#: Who is asked for stands in tables of the statement itself, which the planner takes for tiny: it
#: would look at all acts once for each lead.
_SETTINGS = (
    "SET LOCAL jit = off; SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB';"
    " SET LOCAL statement_timeout = '5min'"
)
_KEEP_CASES = SQL(
    "INSERT INTO scoring_qualitycase (report_id, lead_id, cycle, is_sql, is_won, is_refused,"
    " refusal_reason, hits, misses) SELECT {report}, lead_id, cycle, is_sql, is_won, is_refused,"
    " left(refusal_reason, 20), hits, misses FROM ({found}) AS found"
)
_COUNT = SQL(
    "SELECT line, count(DISTINCT lead_id), count(*), count(*) FILTER (WHERE is_sql),"
    " count(*) FILTER (WHERE is_won), count(*) FILTER (WHERE is_refused) FROM scoring_qualitycase"
    " CROSS JOIN LATERAL unnest({side}) AS line WHERE report_id = {report} GROUP BY line"
)
_WITHOUT_MQL = SQL(
    "SELECT lead.id AS lead_id, {now}::timestamptz AS as_of, {now}::timestamptz AS known_at"
    " FROM leads_lead lead"
    " WHERE lead.id BETWEEN {first} AND {last} AND lead.merged_into_id IS NULL"
    " AND NOT EXISTS (SELECT FROM quality_cycle mql WHERE mql.lead_id = lead.id)"
)


def request_measuring(*, model_id: int, now: datetime, actor: User | None = None) -> QualityReport:
    """Ask for a model's rules to be measured; a request that waits already is the same one."""
    report, _ = QualityReport.objects.get_or_create(
        model_id=model_id,
        finished_at=None,
        defaults={"requested_at": now, "requested_by": actor},
    )
    return report


def measure_quality(*, now: datetime) -> bool:
    """Measure the report that waits longest; say whether there was one.

    The model in force is measured once a day without being asked. Measuring that fails is tried
    again by the next sweep, and given up after ``MOST_ATTEMPTS``.
    """
    _request_daily(now)
    with transaction.atomic():
        waiting = QualityReport.objects.waiting().select_for_update(skip_locked=True).first()
        if waiting is None:
            return False
        if waiting.attempts >= MOST_ATTEMPTS:
            _give_up(waiting, now)
            return True
        QualityReport.objects.filter(pk=waiting.pk).update(attempts=F("attempts") + 1)
    try:
        measure_report(report_id=waiting.pk, now=now)
    except Exception:
        logger.exception("Could not measure report %s", waiting.pk)
    return True


def _request_daily(now: datetime) -> None:
    model = published_model()
    if model is None:
        return
    latest = QualityReport.objects.filter(model=model).aggregate(at=Max("requested_at"))["at"]
    if latest is None or latest <= now - EVERY:
        request_measuring(model_id=model.pk, now=now)


def _give_up(report: QualityReport, now: datetime) -> None:
    report.finished_at = now
    report.error = f"Measuring was begun {report.attempts} times and never finished."
    report.save(update_fields=["finished_at", "error"])


@transaction.atomic
def measure_report(*, report_id: int, now: datetime) -> None:
    """Measure one report; reports of the same model that were measured before make way.

    Nothing happens while another process measures it, or once it is measured.
    """
    waiting = QualityReport.objects.waiting().select_for_update(skip_locked=True)
    report = waiting.select_related("model").filter(pk=report_id).first()
    if report is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
    population = gather(now=now)
    definition = definition_of(report.model)
    _keep_cases(report, definition, population, now)
    document = report.model.definition
    report.results = {
        "population": _population_json(population),
        **as_json(_lines(report, definition, population, now), _suggestions(population, document)),
        "refusals": _refusals(population, now),
    }
    report.finished_at = now
    report.save(update_fields=["results", "finished_at"])
    QualityReport.objects.filter(model=report.model, pk__lt=report.pk).delete()


def _population_json(population: Population) -> dict[str, Any]:
    told = asdict(population)
    moments = {key: told[key] and told[key].isoformat() for key in ("first_at", "last_at")}
    return {**told, **moments, "patience": population.patience.total_seconds()}


def _keep_cases(
    report: QualityReport, definition: Definition, population: Population, now: datetime
) -> None:
    everyone = SQL("true")
    queries = hits_by_cycle(definition, cycles=population.cycles, now=now, chosen=everyone)
    with connection.cursor() as cursor:
        for found in queries:
            cursor.execute(_KEEP_CASES.format(report=report.pk, found=found))


def _lines(
    report: QualityReport, definition: Definition, population: Population, now: datetime
) -> list[LineQuality]:
    keys = line_keys(definition)
    others: Mapping[int, int] = (
        {} if population.is_by_capture else _leads_without_mql(definition, keys, now)
    )
    return judge_lines(
        keys,
        _counts(report, keys, SQL("hits"), others),
        _counts(report, keys, SQL("misses"), {}),
    )


def _counts(
    report: QualityReport, keys: Sequence[LineKey], side: SQL, others: Mapping[int, int]
) -> list[LineCounts]:
    found = {line: counts for line, *counts in rows(_COUNT.format(side=side, report=report.pk))}
    counted = [(key.number, found.get(key.number, [0] * 5)) for key in keys]
    return [
        LineCounts(leads + others.get(number, 0), *counts) for number, (leads, *counts) in counted
    ]


def _leads_without_mql(
    definition: Definition, keys: Sequence[LineKey], now: datetime
) -> Mapping[int, int]:
    """How many leads that never became MQL a line applies to as of now."""
    last = Lead.objects.aggregate(last=Max("pk"))["last"] or 0
    found: Counter[int] = Counter()
    for first in range(1, last + 1, RANGE):
        [counts] = rows(_count_without_mql(definition, keys, first, first + RANGE - 1, now))
        found.update(dict(zip((key.number for key in keys), counts, strict=True)))
    return found


def _count_without_mql(
    definition: Definition, keys: Sequence[LineKey], first: int, last: int, now: datetime
) -> Composed:
    asked = _WITHOUT_MQL.format(now=now, first=first, last=last)
    tables = [
        *engagement_tables(definition, asked, evidence=True),
        *fit_tables(definition, of_range(first, last), now=now),
    ]
    holds = (
        SQL("{} = 1").format(column("r", key.place))
        if key.is_fit
        else SQL("counts[{}] > 0").format(key.place + 1)
        for key in keys
    )
    counts = commas(SQL("count(*) FILTER (WHERE {})").format(each) for each in holds)
    body = SQL("SELECT {} FROM engagement JOIN outcome ON outcome.id = lead_id").format(counts)
    return with_tables(tables, body)


def _suggestions(population: Population, document: Mapping[str, Any]) -> list[Suggestion]:
    whole = Counts(population.cases, population.sqls, population.closed, population.won)
    acts = acts_in_common(whole, population.cycles)
    found = distinct([*acts, *attributes_in_common(population.cycles)])
    return suggest([each for each in found if not is_covered(each, document)])


def _refusals(population: Population, now: datetime) -> dict[str, Any]:
    carried: Counter[tuple[str, str]] = Counter()
    models = {model.version: model for model in ScoringModel.objects.all()}
    for version in refusal_versions():
        if version in models:
            definition = definition_of(models[version])
            carried += carried_by(definition, version, cycles=population.cycles, now=now)
    return refusals_as_json(refusal_table(carried))


def latest_report(model: ScoringModel) -> QualityReport | None:
    """Return the report on a model that can be read, None until it was measured once."""
    return QualityReport.objects.measured().filter(model=model).first()

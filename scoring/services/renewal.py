"""Renewing all scores after a model was published: computed at once, written in small steps."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max
from psycopg.sql import SQL, Composed, Identifier

from crm.common.locks import alone
from leads.models import Lead
from scoring.enums import ModelState
from scoring.fit import of_range
from scoring.models import HEAVY, ScoringModel
from scoring.query import ask_range
from scoring.scored import scored_tables
from scoring.services.publishing import definition_of
from scoring.services.raised_hands import find_raised_hands, keep_raised_hands
from scoring.sql import commas, with_tables

#: Leads computed by one statement: each costs one pass over all events.
RANGE = 500_000
#: Leads written by one transaction: so long others may wait for them. It does not wait for the
#: disk: what a crash takes back with it is how far the renewal was, so that it is done again.
STEP = 2_000
_UNHURRIED = "SET LOCAL synchronous_commit = off"
#: Forecasts are left to the sweep, spread over so many seconds: fresh events keep their place.
SPREAD = 1_800
#: One renewal at a time, whichever process it runs in; any number that no other lock here uses.
_ADVISORY_LOCK = 7_214_002

#: A statement of this size is worth its memory and its minutes, but not a compiler's. It takes one
#: core: pages have the others.
SETTINGS = (
    "SET LOCAL jit = off; SET LOCAL work_mem = '256MB'; SET LOCAL statement_timeout = '5min';"
    " SET LOCAL max_parallel_workers_per_gather = 0"
)
_COLUMNS = {
    "lead_id": SQL("lead_id"),
    "model_id": SQL("{model}::bigint"),
    "fit_score": SQL("fit / 10.0"),
    "fit_grade": SQL("grade"),
    "persona": SQL("persona"),
    "engagement_score": SQL("score / 10.0"),
    "engagement_level": SQL("level"),
    "cell": SQL("cell"),
    "meets_definition": SQL("meets_definition"),
    "disqualified_by": SQL("disqualified_by"),
    "acts": SQL("acts"),
    "engagement_week_ago": SQL("NULL::numeric"),
    "changes_at": SQL("NULL::timestamptz"),
    "drops_out_at": SQL("NULL::timestamptz"),
    "level_changes_at": SQL("NULL::timestamptz"),
    "computed_at": SQL("{now}::timestamptz"),
    "score_due_at": SQL(
        "CASE WHEN meets_definition THEN {now}"
        " WHEN score > 0 OR 0 > ANY(amounts) OR {moves}"
        " THEN {now} + make_interval(secs => lead_id % {spread}) END"
    ),
}
#: What is due already stays due: its news has not been acted on. A score that a sweep computed
#: under this model meanwhile is fresher. Who has very many events is known by their sweep alone.
_STORE = SQL(
    "INSERT INTO scoring_leadscore AS kept ({names})"
    " SELECT {names} FROM renewed_score WHERE lead_id BETWEEN {first} AND {last} ORDER BY lead_id"
    " ON CONFLICT (lead_id) DO UPDATE SET {changes},"
    " acts = CASE WHEN kept.acts > {heavy} THEN kept.acts ELSE excluded.acts END,"
    " score_due_at = least(kept.score_due_at, excluded.score_due_at)"
    " WHERE kept.model_id IS DISTINCT FROM excluded.model_id"
    " OR kept.computed_at <= excluded.computed_at"
)


def renew_scores(*, now: datetime, limit: int = RANGE) -> int:
    """Renew the next ``limit`` scores under a newly published model; return how many there were.

    Nothing moves: a lead acts on its score when the sweep next finds news about it. A crash goes on
    where it stood; a second caller does nothing while the first one works.
    """
    with alone(_ADVISORY_LOCK) as is_alone:
        model = ScoringModel.objects.filter(rescored_up_to__isnull=False).first()
        if not is_alone or model is None or model.rescored_up_to is None:
            return 0
        ahead = Lead.objects.filter(pk__gt=model.rescored_up_to).order_by("pk")[:limit]
        last: int | None = ahead.aggregate(last=Max("pk"))["last"]
        if last is None:
            _finish(model, now)
            return 0
        count = _compute(model, model.rescored_up_to + 1, last, now)
        _store(model, last)
        return count


def start_renewal() -> None:
    """Have all scores renewed once more under the model in force."""
    ScoringModel.objects.filter(state=ModelState.PUBLISHED).update(rescored_up_to=0)


@transaction.atomic
def _compute(model: ScoringModel, first: int, last: int, now: datetime) -> int:
    """Compute a range into a table of this connection, which holds no lock that others need."""
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
        cursor.execute("DROP TABLE IF EXISTS renewed_score")
        cursor.execute(_statement(model, first, last, now))
        count: int = cursor.rowcount
        cursor.execute("CREATE INDEX ON renewed_score (lead_id)")
    return count


def _statement(model: ScoringModel, first: int, last: int, now: datetime) -> Composed:
    definition = definition_of(model)
    asked, chosen = ask_range(first, last, as_of=now), of_range(first, last)
    tables = scored_tables(definition, asked, chosen, now=now)
    filled = {"model": model.pk, "now": now, "moves": definition.moves_with_time, "spread": SPREAD}
    columns = commas(
        SQL("{} AS {}").format(text.format(**filled), Identifier(name))
        for name, text in _COLUMNS.items()
    )
    body = SQL("SELECT {} FROM scored").format(columns)
    return SQL("CREATE TEMPORARY TABLE renewed_score AS {}").format(with_tables(tables, body))


def _store(model: ScoringModel, last: int) -> None:
    """Write the computed range, unless another model was published meanwhile."""
    first = (model.rescored_up_to or 0) + 1
    while first <= last:
        end = min(first + STEP - 1, last)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_UNHURRIED)
            cursor.execute(_step(first, end))
            if not _advance(model, end):
                transaction.set_rollback(True)
                return
        first = end + 1


def _step(first: int, last: int) -> Composed:
    changed = [name for name in _COLUMNS if name not in {"lead_id", "acts", "score_due_at"}]
    return _STORE.format(
        names=commas(map(Identifier, _COLUMNS)),
        first=first,
        last=last,
        heavy=HEAVY,
        changes=commas(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in changed),
    )


def _finish(model: ScoringModel, now: datetime) -> None:
    were_found = find_raised_hands(model, now=now, settings=SETTINGS)
    with transaction.atomic():
        if _advance(model, None):
            keep_raised_hands(were_found=were_found)


def _advance(model: ScoringModel, up_to: int | None) -> bool:
    """Note how far the renewal is; False when the model is no longer in force."""
    in_force = ScoringModel.objects.filter(pk=model.pk, state=ModelState.PUBLISHED)
    return bool(in_force.update(rescored_up_to=up_to))

"""Leads whose acts of before became buying acts: listed once a model was published, never moved.

Who does a buying act is moved at once, by the model in force then. So an act counts here if the
model in force makes an MQL of it and the one that was in force when it was received did not: it was
no buying act to that one, or its lead is one that it blocks or disqualifies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from psycopg.sql import SQL, Composable, Composed

from scoring.definition import Definition
from scoring.fit import fit_tables
from scoring.models import RaisedHand, ScoringModel
from scoring.query import with_cycle_start
from scoring.services.fast_track import is_buying
from scoring.services.publishing import definition_of
from scoring.services.standing import OPEN_STAGES
from scoring.sql import with_tables

_BOUGHT = SQL(
    "SELECT e.lead_id, e.id, e.kind, e.occurred_at, e.received_at, e.actor, e.properties"
    " FROM engagement_event e"
    " JOIN leads_lead lead ON lead.id = e.lead_id AND lead.stage = ANY({open})"
    " WHERE e.occurred_at > {earliest} AND e.occurred_at <= {now}"
    " AND e.occurred_at > coalesce(lead.imported_at, '-infinity')"
    " AND e.received_at < {published_at} AND {is_buying}"
)
_RAISED = SQL("SELECT lead_id, id, kind, occurred_at FROM bought e WHERE NOT ({was_buying})")
_BARRED = SQL("SELECT lead_id FROM fit WHERE blocked_by <> '' OR disqualified_by <> ''")
_ASKED = SQL(
    "SELECT DISTINCT lead_id, {now}::timestamptz AS as_of, {now}::timestamptz AS known_at"
    " FROM raised"
)
_LATEST = SQL(
    "SELECT DISTINCT ON (raised.lead_id) raised.lead_id, raised.kind,"
    " raised.occurred_at + {within} AS counts_until"
    " FROM raised JOIN asked ON asked.lead_id = raised.lead_id AND raised.occurred_at > asked.since"
    " JOIN fit ON fit.lead_id = raised.lead_id AND fit.blocked_by = '' AND fit.disqualified_by = ''"
    " ORDER BY raised.lead_id, raised.occurred_at DESC, raised.id"
)
_FIND = SQL("DROP TABLE IF EXISTS found_hand; CREATE TEMPORARY TABLE found_hand AS {}")
_KEEP = (
    "INSERT INTO scoring_raisedhand (lead_id, kind, counts_until)"
    " SELECT lead_id, kind, counts_until FROM found_hand ORDER BY lead_id"
)


@transaction.atomic
def find_raised_hands(model: ScoringModel, *, now: datetime, settings: str) -> bool:
    """Find the open leads that ask for sales by an act of before the publication, if any can.

    Nobody who is blocked or disqualified is among them. They may be as many as there are leads, so
    they stay in the database, in a table of this connection, which holds no lock that others need.
    """
    definition = definition_of(model)
    earliest = now - definition.fast_track_within
    former = _in_force_since(earliest, model)
    if model.published_at is None or not any(_adds(definition, each) for _, each in former):
        return False
    bought = _BOUGHT.format(
        open=[stage.value for stage in OPEN_STAGES],
        earliest=earliest,
        now=now,
        published_at=model.published_at,
        is_buying=is_buying(definition),
    )
    raised = _RAISED.format(was_buying=_was_buying(definition, former, now))
    asked = with_cycle_start(_ASKED.format(now=now))
    fit = fit_tables(definition, SQL("id IN (SELECT lead_id FROM raised)"), now=now)
    latest = _LATEST.format(within=definition.fast_track_within)
    tables = [("bought", bought), ("raised", raised), ("asked", asked), *fit]
    query = with_tables(tables, latest, keep=["bought", "raised"])
    with connection.cursor() as cursor:
        cursor.execute(settings)
        cursor.execute(_FIND.format(query))
    return True


def keep_raised_hands(*, were_found: bool) -> None:
    """Put those that were found in the place of those that were kept."""
    RaisedHand.objects.all().delete()
    if were_found:
        with connection.cursor() as cursor:
            cursor.execute(_KEEP)


def _in_force_since(earliest: datetime, model: ScoringModel) -> list[tuple[datetime, Definition]]:
    """Return the models before this one that judged acts after ``earliest``, and until when."""
    former = ScoringModel.objects.filter(published_at__isnull=False, retired_at__gt=earliest)
    older = former.exclude(pk=model.pk).order_by("retired_at")
    return [(each.retired_at, definition_of(each)) for each in older if each.retired_at]


def _adds(definition: Definition, former: Definition) -> bool:
    kinds = {act.kind for act in definition.fast_track}
    return bool(kinds - {act.kind for act in former.fast_track}) or _lifts(definition, former)


def _lifts(definition: Definition, former: Definition) -> bool:
    """Say whether the former model bars by a condition that is no more."""
    left = [*definition.blocking, *definition.disqualifiers]
    return any(each not in left for each in (*former.blocking, *former.disqualifiers))


def _was_buying(
    definition: Definition, former: Sequence[tuple[datetime, Definition]], now: datetime
) -> Composed:
    """Return whether an event ``e`` was a buying act to the model in force at its receipt."""
    cases: list[Composable] = [
        SQL("WHEN e.received_at < {} THEN {} AND {}").format(
            until, is_buying(each), _was_free(definition, each, now)
        )
        for until, each in former
    ]
    return SQL("CASE {} ELSE true END").format(SQL(" ").join(cases))


def _was_free(definition: Definition, former: Definition, now: datetime) -> Composable:
    """Return whether the former model does not bar the lead of an event ``e``, as it is now."""
    if not _lifts(definition, former):
        return SQL("true")
    fit = fit_tables(former, SQL("id IN (SELECT lead_id FROM bought)"), now=now)
    return SQL("e.lead_id NOT IN ({})").format(with_tables(fit, _BARRED))

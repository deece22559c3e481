"""Leads with very many acts: computed apart, and while that takes its seconds nobody waits.

Neither a form that captures such a lead nor the sweep over all others computes its score, and its
row is locked only to be written: who learns something of it meanwhile goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from django.db import connection, transaction
from psycopg.sql import SQL

from crm.common.locks import alone
from crm.common.prepared import prepared
from engagement.models import Event
from scoring.models import HEAVY, LeadScore, ScoringModel
from scoring.services.computing import Computed, compute, write
from scoring.services.publishing import published_model
from scoring.services.qualification import Move, make_moves, put_off
from scoring.services.renewal import SETTINGS
from scoring.sql import rendered

logger = logging.getLogger(__name__)

#: One such lead at a time, whichever process computes it; any number that no other lock here uses.
_ADVISORY_LOCK = 7_214_005
#: Seconds that a lead rests for each of its events, so that even one whose acts never end takes a
#: tenth of a core at most: its scores of now and of a week ago take 1 to 5 us an event.
_REST = 0.00005
#: ``xmin`` names the version of a row: whoever writes it makes another one.
_NEXT = """
    SELECT lead_id, xmin::text FROM scoring_leadscore
    WHERE acts > %(heavy)s AND score_due_at <= %(now)s
        AND (computed_at IS NULL OR computed_at + make_interval(secs => acts * %(rest)s) <= %(now)s)
    ORDER BY score_due_at, lead_id LIMIT 1
"""
_HOLD = """
    SELECT xmin::text, score_due_at, has_news FROM scoring_leadscore WHERE lead_id = %s
    FOR NO KEY UPDATE
"""
#: What is read for a score: whatever a lead's events are, most of them may fit no rule.
_EVENTS = SQL(
    "SELECT told.lead_id FROM unnest($1::bigint[]) AS told (lead_id)"
    " WHERE {most} < (SELECT count(*) FROM (SELECT FROM engagement_event event"
    " WHERE event.lead_id = told.lead_id LIMIT {most} + 1) AS first)"
)


@transaction.atomic
def set_apart(lead_ids: Sequence[int]) -> set[int]:
    """Leave leads that did very much to ``score_next_heavy_lead``; return which those are.

    What a lead did may have become its own a moment ago, so that no score tells how much it is.
    """
    heavy = {row["lead_id"] for row in prepared(_very_many(), [list(lead_ids)])}
    if heavy:
        LeadScore.objects.filter(pk__in=heavy, acts__lte=HEAVY).update(acts=HEAVY + 1)
    return heavy


@cache
def _very_many() -> SQL:
    return rendered(_EVENTS.format(most=HEAVY))


def score_next_heavy_lead(*, now: datetime) -> bool:
    """Compute the score of the next lead with very many acts that is due; say whether one was.

    Then it moves if its score asks for it. A second caller does nothing while one is at work, and
    one that is killed leaves the lead as due as it was.
    """
    with alone(_ADVISORY_LOCK) as is_alone:
        model = published_model()
        found = _next(now) if is_alone and model else None
        if model is None or found is None:
            return False
        lead_id, version = found
        try:
            moves = _score(model, lead_id, version, now)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("Could not score lead %s, which has very many acts", lead_id)
            put_off(lead_id=lead_id, now=now)
        else:
            make_moves(moves, now=now)
        return True


def _next(now: datetime) -> tuple[int, str] | None:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"heavy": HEAVY, "now": now, "rest": _REST})
        found: tuple[int, str] | None = cursor.fetchone()
    return found


def _score(model: ScoringModel, lead_id: int, version: str, now: datetime) -> list[Move]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SETTINGS)
        [computed], moves = compute(model, [lead_id], now=now)
        events = Event.objects.filter(lead=lead_id).count()
    computed = replace(computed, scored=replace(computed.scored, acts=events))
    return moves if _write(model, computed, version, now) else []


@transaction.atomic
def _write(model: ScoringModel, computed: Computed, version: str, now: datetime) -> bool:
    """Write the score; say whether nothing was learned of the lead since it was taken.

    What was learned keeps it due, and a move waits until that is looked at. Under another model
    nothing is written: the lead is as due as it was.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [computed.scored.lead_id])
        latest, due_at, has_news = cursor.fetchone() or ("", None, False)
    if published_model() != model:
        return False
    if latest != version:
        outlook = replace(computed.outlook, due_at=due_at, owes_move=has_news)
        computed = replace(computed, outlook=outlook)
    write(model, [computed], now=now)
    return latest == version

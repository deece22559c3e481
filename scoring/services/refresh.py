"""Keeping stored scores true: the sweep over what is due."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from psycopg.sql import SQL, Identifier

from crm.common.health import beat
from crm.common.prepared import PreparedQuery
from crm.common.singly import do_singly
from scoring.definition import Definition
from scoring.forecast import forecast, shown_changes_at
from scoring.models import HEAVY, LeadScore, ScoringModel
from scoring.scored import Scored, news_since, points, scores_at
from scoring.services.publishing import definition_of, published_model
from scoring.services.qualification import Move, make_moves, owed_moves, put_off
from scoring.sql import commas

logger = logging.getLogger(__name__)

BATCH = 1_000
WEEK = timedelta(days=7)
DAY = timedelta(days=1)
_LOOP = "score_due_leads"
#: The backlog is counted up to here; more is "many" all the same.
_MOST_COUNTED = 10_000

#: In the order of the index: a plan for any time expects a third of all scores to be due.
_DUE = PreparedQuery(
    lambda now: LeadScore.objects.due(now).order_by("score_due_at").values_list("pk")[:1]
)
_CLAIM = """
    SELECT lead_id FROM scoring_leadscore WHERE score_due_at <= %s AND {whose}
    ORDER BY score_due_at, lead_id LIMIT %s FOR UPDATE SKIP LOCKED
"""
#: Whose scores are taken: a lead with very many acts alone, so that nobody waits with it.
_LIGHT, _HEAVY, _ONE = f"acts <= {HEAVY}", f"acts > {HEAVY}", "lead_id = {:d}"
_BACKLOG = """
    SELECT count(*), min(score_due_at) FROM (
        SELECT score_due_at FROM scoring_leadscore WHERE score_due_at <= %s
        ORDER BY score_due_at LIMIT %s
    ) AS waiting
"""
#: Column of LeadScore and its type, as the sweep writes them.
_WRITTEN = {
    "lead_id": "bigint", "fit_score": "numeric", "fit_grade": "text", "persona": "text",
    "engagement_score": "numeric", "engagement_level": "smallint", "cell": "text",
    "meets_definition": "boolean", "disqualified_by": "text", "engagement_week_ago": "numeric",
    "changes_at": "timestamptz", "drops_out_at": "timestamptz", "score_due_at": "timestamptz",
    "has_news": "boolean", "level_changes_at": "timestamptz", "acts": "integer",
}  # fmt: skip
_WRITE = SQL(
    "UPDATE scoring_leadscore score SET model_id = %s, computed_at = %s, {changes}"
    " FROM json_to_recordset(%s) AS new ({columns}) WHERE score.lead_id = new.lead_id"
).format(
    changes=commas(
        SQL("{0} = new.{0}").format(Identifier(name)) for name in _WRITTEN if name != "lead_id"
    ),
    columns=commas(
        SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in _WRITTEN.items()
    ),
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What time alone did and does to a score; ``due_at`` is when to compute it next.

    One that owes a move keeps its news until that is made.
    """

    week_ago: int
    changes_at: datetime | None
    drops_out_at: datetime | None
    level_changes_at: datetime | None
    due_at: datetime | None
    owes_move: bool = False


def score_due_leads(*, now: datetime, limit: int = BATCH) -> int:
    """Compute up to ``limit`` scores that are due and return how many were taken.

    Then leads that newly meet the definition become MQL, and disqualified ones leave; each in a
    transaction of its own. A lead with very many acts is computed after the others. Several sweeps
    may run at once: each takes rows that no other holds.
    """
    if not _DUE.rows(now):
        beat(_LOOP, now)
        return 0
    taken = _sweep(now, limit, _LIGHT) + _sweep(now, 1, _HEAVY)
    _report(now)
    return taken


def score_now(*, lead_ids: Sequence[int], now: datetime) -> None:
    """Compute the scores of leads that are due, and make their moves, in the caller's transaction.

    One that fails is logged and left to the sweep: what the caller writes does not depend on it.
    """
    _score_each(lead_ids, now)


def _sweep(now: datetime, limit: int, whose: str) -> int:
    try:
        taken, moves = _score(now, limit, whose)
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("A batch of scores failed; computing them one by one")
        return _score_singly(now, limit, whose)
    make_moves(moves, now=now)
    return taken


@transaction.atomic
def _score(now: datetime, limit: int, whose: str) -> tuple[int, list[Move]]:
    """Claim, compute and write. A lead that owes a move stays due, so that a crash loses none.

    The model is read once the leads are held: one that comes into force later has their scores
    renewed after these are written.
    """
    lead_ids = _claim(now, limit, whose)
    model = published_model() if lead_ids else None
    if model is None:
        return 0, []
    definition = definition_of(model)
    scored, ahead = _look_ahead(definition, lead_ids, now)
    next_due = {lead_id: outlook.due_at for lead_id, outlook in ahead.items()}
    moves = owed_moves(model, definition, scored, next_due, now=now)
    for move in moves:
        ahead[move.lead_id] = replace(ahead[move.lead_id], due_at=now, owes_move=True)
    _write(model, [_stored(each, ahead[each.lead_id]) for each in scored], now)
    return len(lead_ids), moves


def _score_singly(now: datetime, limit: int, whose: str) -> int:
    """Compute each score in a transaction of its own; put off those that fail."""
    with transaction.atomic():
        lead_ids = _claim(now, limit, whose)
    _score_each(lead_ids, now)
    return len(lead_ids)


def _score_each(lead_ids: Sequence[int], now: datetime) -> None:
    def score(lead_id: int) -> None:
        _, moves = _score(now, 1, _ONE.format(lead_id))
        make_moves(moves, now=now)

    def give_up(lead_id: int, _: Exception) -> None:
        logger.exception("Could not score lead %s", lead_id)
        put_off(lead_id=lead_id, now=now)

    do_singly(lead_ids, score, give_up=give_up)


def _claim(now: datetime, limit: int, whose: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(whose=whose), [now, limit])
        return [lead_id for (lead_id,) in cursor.fetchall()]


def _look_ahead(
    definition: Definition, lead_ids: Sequence[int], now: datetime
) -> tuple[list[Scored], dict[int, Outlook]]:
    """Return the scores of leads now, and what time does to each."""
    found = scores_at(definition, lead_ids, [now, now - WEEK], now=now)
    week_ago = {each.lead_id: each for each in found if each.as_of != now}
    scored = [each for each in found if each.as_of == now]
    news = news_since(definition, lead_ids, now - WEEK, now=now)
    return scored, {
        each.lead_id: _outlook(definition, each, week_ago[each.lead_id], news.get(each.lead_id))
        for each in scored
    }


def _outlook(
    definition: Definition, scored: Scored, week_ago: Scored, news_at: datetime | None
) -> Outlook:
    """Return what time does to a lead of which the first ``news_at`` came in the last week."""
    now, inside = scored.as_of, scored.cell if scored.meets_definition else ""
    ahead = forecast(definition, scored.amounts, now=now, cell=inside)
    by_time = [
        ahead.changes_at,
        # The start of the arrow follows a week behind, and fades until the first news.
        news_at + WEEK if news_at else None,
        now + DAY if definition.moves_with_time else None,  # criteria ask for relative dates
    ]
    due_at = min(filter(None, by_time), default=None)
    until = due_at - WEEK if due_at else None
    start = shown_changes_at(definition, week_ago.amounts, now=week_ago.as_of, until=until)
    return Outlook(
        week_ago=week_ago.score,
        changes_at=ahead.changes_at,
        drops_out_at=ahead.drops_out_at,
        level_changes_at=ahead.level_changes_at,
        due_at=start + WEEK if start else due_at,
    )


def _stored(scored: Scored, ahead: Outlook) -> tuple[Any, ...]:
    """Return the row to write, in the order of ``_WRITTEN``."""
    return (
        scored.lead_id, points(scored.fit), scored.grade, scored.persona, points(scored.score),
        scored.level, scored.cell, scored.meets_definition, scored.disqualified_by,
        points(ahead.week_ago), ahead.changes_at, ahead.drops_out_at, ahead.due_at,
        ahead.owes_move, ahead.level_changes_at, scored.acts,
    )  # fmt: skip


def _write(model: ScoringModel, stored: Sequence[tuple[Any, ...]], now: datetime) -> None:
    """Write scores that are told as JSON: an array of each column takes much longer to compose."""
    told = [dict(zip(_WRITTEN, each, strict=True)) for each in stored]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [model.pk, now, orjson.dumps(told, default=str).decode()])


def _report(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, [now, _MOST_COUNTED])
        backlog, oldest_due_at = cursor.fetchone() or (0, None)
    beat(_LOOP, now, backlog, oldest_due_at)

"""Keeping stored scores true: the sweep over what is due."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from django.db import connection, transaction

from crm.common.health import beat
from crm.common.prepared import PreparedQuery
from crm.common.singly import do_singly
from scoring.models import HEAVY, LeadScore
from scoring.services.computing import compute, write
from scoring.services.heavy import set_apart
from scoring.services.publishing import published_model
from scoring.services.qualification import Move, make_moves, put_off

logger = logging.getLogger(__name__)

BATCH = 1_000
#: Seconds after which a batch looks for who held it up; a full one takes a quarter. Our choice.
SLOW = 2.0
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
#: Whose scores are taken: nobody waits for a lead with very many acts, which is computed apart.
_LIGHT, _ONE = f"acts <= {HEAVY}", "lead_id = {:d}"
_BACKLOG = """
    SELECT count(*), min(score_due_at) FROM (
        SELECT score_due_at FROM scoring_leadscore WHERE score_due_at <= %s
        ORDER BY score_due_at LIMIT %s
    ) AS waiting
"""


def score_due_leads(*, now: datetime, limit: int = BATCH) -> int:
    """Compute up to ``limit`` scores that are due and return how many were taken.

    Then leads that newly meet the definition become MQL, and disqualified ones leave; each in a
    transaction of its own. Leads with very many acts are left to ``score_next_heavy_lead``. Several
    sweeps may run at once: each takes rows that no other holds.
    """
    if not _DUE.rows(now):
        beat(_LOOP, now)
        return 0
    taken = _sweep(now, limit)
    _report(now)
    return taken


def score_now(*, lead_ids: Sequence[int], now: datetime) -> None:
    """Compute the scores of leads that are due, and make their moves, in the caller's transaction.

    One that fails is logged and left to the sweep: what the caller writes does not depend on it.
    One with very many acts is left to its own sweep: somebody waits for the caller.
    """
    _score_each(lead_ids, now)


def _sweep(now: datetime, limit: int) -> int:
    begun = monotonic()
    try:
        taken, moves = _score(now, limit, _LIGHT)
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("A batch of scores failed; computing them one by one")
        return _score_singly(now, limit)
    if monotonic() - begun > SLOW:
        set_apart(taken)
    make_moves(moves, now=now)
    return len(taken)


@transaction.atomic
def _score(now: datetime, limit: int, whose: str) -> tuple[list[int], list[Move]]:
    """Claim, compute and write.

    The model is read once the leads are held: one that comes into force later has their scores
    renewed after these are written.
    """
    lead_ids = _claim(now, limit, whose)
    model = published_model() if lead_ids else None
    if model is None:
        return [], []
    computed, moves = compute(model, lead_ids, now=now)
    write(model, computed, now=now)
    return lead_ids, moves


def _score_singly(now: datetime, limit: int) -> int:
    """Compute each score in a transaction of its own; put off those that fail."""
    with transaction.atomic():
        lead_ids = _claim(now, limit, _LIGHT)
    _score_each(lead_ids, now)
    return len(lead_ids)


def _score_each(lead_ids: Sequence[int], now: datetime) -> None:
    def score(lead_id: int) -> None:
        if set_apart([lead_id]):
            return
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


def _report(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, [now, _MOST_COUNTED])
        backlog, oldest_due_at = cursor.fetchone() or (0, None)
    beat(_LOOP, now, backlog, oldest_due_at)

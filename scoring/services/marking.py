"""Writing down that a score is owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

#: In one order, after the leads' own rows: whoever holds one of these waits for no lead.
_MARK_DUE = """
    INSERT INTO scoring_leadscore AS kept (lead_id, news_at, has_news, score_due_at)
    SELECT lead_id, %(news_at)s::timestamptz, %(is_news)s, %(now)s
    FROM unnest(%(lead_ids)s::bigint[]) AS told (lead_id)
    GROUP BY lead_id ORDER BY lead_id
    ON CONFLICT (lead_id) DO UPDATE
    SET news_at = greatest(kept.news_at, excluded.news_at), score_due_at = excluded.score_due_at,
        has_news = kept.has_news OR excluded.has_news
"""


def mark_due(*, lead_ids: Sequence[int], now: datetime, is_news: bool = True) -> None:
    """Have the scores of leads computed again, as a rule because something was learned at ``now``.

    Callers that lock leads do so before: the order is lead, then score.

    Args:
        lead_ids: the leads.
        now: when the scores fall due: at once.
        is_news: whether something was learned; only then may the lead move for its score.
    """
    told: dict[str, Any] = {"lead_ids": list(lead_ids), "now": now, "is_news": is_news}
    with connection.cursor() as cursor:
        cursor.execute(_MARK_DUE, {**told, "news_at": now if is_news else None})

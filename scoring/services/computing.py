"""Computing scores with what time does to them, and writing them down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection
from psycopg.sql import SQL, Identifier

from scoring.definition import Definition
from scoring.forecast import forecast, shown_changes_at
from scoring.models import ScoringModel
from scoring.scored import Scored, news_since, points, scores_at
from scoring.services.publishing import definition_of
from scoring.services.qualification import Move, owed_moves
from scoring.sql import commas

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
#: Column of LeadScore and its type, as sweeps write them.
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


@dataclass(frozen=True, slots=True)
class Computed:
    """A score to be written, and what time does to it."""

    scored: Scored
    outlook: Outlook


def compute(
    model: ScoringModel, lead_ids: Sequence[int], *, now: datetime
) -> tuple[list[Computed], list[Move]]:
    """Return the scores of leads under the model in force, and the moves that they owe.

    A lead that owes a move stays due, so that a crash loses none.
    """
    definition = definition_of(model)
    scored, ahead = _look_ahead(definition, lead_ids, now)
    next_due = {lead_id: outlook.due_at for lead_id, outlook in ahead.items()}
    moves = owed_moves(model, definition, scored, next_due, now=now)
    for move in moves:
        ahead[move.lead_id] = replace(ahead[move.lead_id], due_at=now, owes_move=True)
    return [Computed(each, ahead[each.lead_id]) for each in scored], moves


def write(model: ScoringModel, computed: Sequence[Computed], *, now: datetime) -> None:
    """Write scores that are told as JSON: an array of each column takes much longer to compose."""
    told = [dict(zip(_WRITTEN, _stored(each), strict=True)) for each in computed]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [model.pk, now, orjson.dumps(told, default=str).decode()])


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


def _stored(computed: Computed) -> tuple[Any, ...]:
    """Return the row to write, in the order of ``_WRITTEN``."""
    scored, ahead = computed.scored, computed.outlook
    return (
        scored.lead_id, points(scored.fit), scored.grade, scored.persona, points(scored.score),
        scored.level, scored.cell, scored.meets_definition, scored.disqualified_by,
        points(ahead.week_ago), ahead.changes_at, ahead.drops_out_at, ahead.due_at,
        ahead.owes_move, ahead.level_changes_at, scored.acts,
    )  # fmt: skip

"""Fit and engagement together: grade, level, cell and whether the lead meets the definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from crm.common.prepared import prepared
from scoring.definition import GRADES, LEVELS, Definition
from scoring.fit import NO_TIME, fit_tables, of_leads
from scoring.query import ASK_AT, KEEP, engagement_tables, first_news
from scoring.sql import FENCE, Tables, commas, rendered, rows, with_tables

COLUMNS = (
    "lead_id", "as_of", "score", "fit", "persona", "grade", "level", "cell", "meets_definition",
    "blocked_by", "disqualified_by", "amounts", "acts",
)  # fmt: skip
_BODY = SQL("SELECT {} FROM scored ORDER BY lead_id").format(commas(map(Identifier, COLUMNS)))


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of one lead under one model at one instant; points in tenths."""

    lead_id: int
    as_of: datetime
    score: int
    fit: int | None
    persona: str
    grade: str
    level: int
    cell: str
    meets_definition: bool
    blocked_by: str
    disqualified_by: str
    amounts: Sequence[float]
    acts: int


def points(tenths: int | None) -> Decimal | None:
    """Return tenths as points with one decimal."""
    return None if tenths is None else Decimal(tenths).scaleb(-1)


def scored_tables(
    definition: Definition,
    asked: Composable,
    chosen: Composable,
    *,
    now: datetime,
    at_once: bool = False,
) -> Tables:
    """Return the tables that end in ``scored``, with ``COLUMNS``, for the present state of leads.

    ``asked`` names the instants of the engagement, ``chosen`` the same leads for their fit;
    ``at_once`` is as ``engagement_tables`` has it.
    """
    return [
        *engagement_tables(definition, asked, at_once=at_once),
        *fit_tables(definition, chosen, now=now),
        ("graded", _graded(definition)),
        ("celled", SQL("SELECT *, CASE WHEN fit IS NULL THEN '' ELSE grade || level END AS cell"
                       " FROM graded {}").format(FENCE)),
        ("scored", SQL(
            "SELECT *, cell = ANY({}::text[]) AND blocked_by = '' AND disqualified_by = ''"
            " AS meets_definition FROM celled").format(sorted(definition.cells))),
    ]  # fmt: skip


def score_leads(
    definition: Definition, lead_ids: Sequence[int], asked: Composable, *, now: datetime
) -> list[Scored]:
    """Return the scores of some leads as asked, with their present attributes."""
    tables = scored_tables(definition, asked, of_leads(lead_ids), now=now)
    return [Scored(*row) for row in rows(with_tables(tables, _BODY, keep=KEEP))]


def scores_at(
    definition: Definition, lead_ids: Sequence[int], instants: Sequence[datetime], *, now: datetime
) -> list[Scored]:
    """Return the scores of some leads at some instants, by what is known now.

    Their attributes are the present ones. Sweeps ask this again and again, so it is planned once.
    """
    query = _kept_query(definition, now if definition.moves_with_time else None)
    found = prepared(query, [list(lead_ids), list(instants), now])
    return [Scored(**row) for row in found]


@lru_cache(maxsize=16)
def _kept_query(definition: Definition, now: datetime | None) -> SQL:
    """The query of ``scores_at``; only relative dates in criteria make it another each time."""
    chosen = SQL("id = ANY($1::bigint[])")
    tables = scored_tables(definition, ASK_AT, chosen, now=now or NO_TIME, at_once=True)
    return rendered(with_tables(tables, _BODY, keep=KEEP))


def news_since(
    definition: Definition, lead_ids: Sequence[int], since: datetime, *, now: datetime
) -> dict[int, datetime]:
    """Return when, after ``since``, first changed what counts of leads: an act, or a new cycle."""
    found = prepared(_kept_news(definition), [list(lead_ids), since, now])
    return {row["lead_id"]: row["at"] for row in found}


@lru_cache(maxsize=16)
def _kept_news(definition: Definition) -> SQL:
    return rendered(first_news(definition.rules))


def _graded(definition: Definition) -> Composed:
    return SQL(
        "SELECT e.lead_id, e.as_of, e.score, e.amounts, e.acts,"
        " f.fit, f.persona, f.blocked_by, f.disqualified_by,"
        " CASE WHEN f.fit IS NULL THEN '' ELSE {grade} END AS grade, {level} AS level"
        " FROM engagement e JOIN fit f USING (lead_id) {fence}"
    ).format(
        fence=FENCE,
        grade=_steps(SQL("f.fit"), definition.grades, GRADES),
        level=_steps(SQL("e.score"), definition.levels, LEVELS),
    )


def _steps(value: Composable, least: Sequence[int], names: Sequence[str | int]) -> Composed:
    """The name of the first threshold that is reached, else the last name."""
    steps = [
        SQL("WHEN {} >= {} THEN {}").format(value, threshold, name)
        for threshold, name in zip(least, names, strict=False)
    ]
    return SQL("CASE {} ELSE {} END").format(SQL(" ").join(steps), Literal(names[-1]))

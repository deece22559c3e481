"""The score of one lead over the days behind and ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg.sql import SQL

from scoring.forecast import MINUTE, Curve
from scoring.models import ScoringModel
from scoring.query import KEEP, ask, engagement_tables
from scoring.services.publishing import definition_of
from scoring.services.reach import instants_in_reach
from scoring.sql import rows, with_tables

_STEPS_BACK = 18
_STEPS_AHEAD = 20

Points = tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """Engagement in points at moments up to now, and from now on if nothing happens."""

    past: Points
    ahead: Points


def score_course(
    model: ScoringModel, *, lead_id: int, now: datetime, back: timedelta, ahead: timedelta
) -> Course:
    """Return how engagement went and how it will go, under one model and by what is known now."""
    now = now.astimezone(UTC)
    definition = definition_of(model)
    steps = instants_in_reach(lead_id, _STEPS_BACK + 1) - 1
    moments = [now - back * step / steps for step in range(steps, -1, -1)]
    asked = ask([lead_id], *moments, known_at=now)
    body = SQL("SELECT as_of, score, amounts FROM engagement ORDER BY as_of")
    found = rows(with_tables(engagement_tables(definition, asked), body, keep=KEEP))
    curve = Curve(definition, found[-1][2])
    days = [ahead * step / _STEPS_AHEAD for step in range(1, _STEPS_AHEAD + 1)]
    return Course(
        past=tuple((moment, score / 10) for moment, score, _ in found),
        ahead=tuple((now + day, curve.score(day // MINUTE) / 10) for day in days),
    )

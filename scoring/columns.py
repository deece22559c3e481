"""The score in the lead list, and the views that ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.slots import Column, SavedView
from scoring.models import LeadScore
from scoring.services import definition_of, published_model

_MARKETING = (Role.MARKETER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Grade:
    """The score of one row: whole numbers, as lists show them."""

    cell: str
    definition: frozenset[str]
    score: int | None
    change: int | None

    def __str__(self) -> str:
        """Return it as an export has it."""
        return f"{self.cell} {self.score}" if self.cell else "Not evaluated"


def load_grades(lead_ids: Sequence[int], _viewer: User, _now: datetime) -> Mapping[int, Grade]:
    """Return the grade of each lead; those never scored are not evaluated."""
    model = published_model()
    cells = definition_of(model).cells if model else frozenset()
    scores = LeadScore.objects.in_bulk(lead_ids)
    return {lead_id: _grade(scores.get(lead_id), cells) for lead_id in lead_ids}


def _grade(score: LeadScore | None, cells: frozenset[str]) -> Grade:
    if score is None or score.engagement_score is None or not score.cell:
        return Grade("", cells, None, None)
    now, then = score.engagement_score, score.engagement_week_ago
    change = int(now) - int(then) if then is not None else None
    return Grade(score.cell, cells, int(now), change)


def load_personas(lead_ids: Sequence[int], _viewer: User, _now: datetime) -> Mapping[int, str]:
    """Return the persona of each lead that fits one."""
    fitting = LeadScore.objects.filter(pk__in=lead_ids).exclude(persona="")
    return dict(fitting.values_list("pk", "persona"))


def load_expiries(lead_ids: Sequence[int], _viewer: User, _now: datetime) -> Mapping[int, datetime]:
    """Return when each lead inside the definition leaves it if nothing happens."""
    leaving = LeadScore.objects.filter(pk__in=lead_ids, drops_out_at__isnull=False)
    return {score.pk: score.drops_out_at for score in leaving if score.drops_out_at}


SCORE_COLUMNS = (
    Column(
        "grade", "Grade, score, 7 d", 30, load=load_grades, template="scoring/cells/_grade.html",
        sort=("-score__engagement_score?", "-id"),
    ),
    Column(
        "persona", "Persona", 40, load=load_personas, template="scoring/cells/_persona.html"
    ),
    Column(
        "expires", "Expires on", 35, load=load_expiries, template="scoring/cells/_expires.html",
        align="num", sort=("score__drops_out_at?", "id"), is_default=False,
        export=lambda moment: moment.isoformat() if moment else "",
    ),
)  # fmt: skip

SCORE_VIEWS = (
    SavedView(
        "hot",
        "Hot, not yet MQL",
        20,
        {
            "all": [
                {"field": "stage", "op": "in", "value": ["LEAD", "RECYCLED"]},
                {"field": "level", "op": "in", "value": ["1", "2"]},
            ]
        },
        sort="grade",
        roles=_MARKETING,
    ),
    SavedView(
        "inside",
        "Inside, not yet MQL",
        25,
        {
            "all": [
                {"field": "stage", "op": "in", "value": ["LEAD", "RECYCLED"]},
                {"field": "meets", "op": "is", "value": "yes"},
            ]
        },
        sort="grade",
        roles=_MARKETING,
    ),
    SavedView(
        "expiring",
        "Expiring score",
        70,
        {"all": [{"field": "expires", "op": "coming", "value": "7d"}]},
        sort="expires",
        roles=_MARKETING,
    ),
)

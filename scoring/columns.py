"""The score in the lead list, and the views that ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.slots import Column, SavedView
from crm.common.templatetags.ui import trend
from crm.common.ui import words
from crm.common.ui.marks import grade_cell
from crm.common.ui.markup import markup
from leads.models import Lead
from scoring.models import LeadPrediction, LeadScore
from scoring.services import definition_of, published_model
from scoring.services.predicting import chance_words

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


@dataclass(frozen=True, slots=True)
class ListedScore:
    """What the columns of a row show: the grade, the persona that fits, when it leaves.

    ``persona`` is empty where none fits. ``drops_out_at`` is when a lead inside the definition
    leaves it if nothing happens, None of those outside; ``level_changes_at`` likewise when the
    level of engagement is another one.
    """

    grade: Grade
    persona: str = ""
    drops_out_at: datetime | None = None
    level_changes_at: datetime | None = None


_LISTED = (
    "pk", "cell", "engagement_score", "engagement_week_ago", "persona", "drops_out_at",
    "level_changes_at",
)  # fmt: skip
_SCORES = PreparedQuery(
    lambda leads: LeadScore.objects.filter(pk__among=leads).values_list(*_LISTED)
)


def load_scores(
    lead_ids: Sequence[int], _viewer: User, _now: datetime
) -> Mapping[int, ListedScore]:
    """Return the score of each lead; those never scored are not evaluated."""
    model = published_model()
    cells = definition_of(model).cells if model else frozenset()
    unscored = ListedScore(Grade("", cells, None, None))
    listed = {
        lead_id: ListedScore(_grade(cells, cell, score, before), *rest)
        for lead_id, cell, score, before, *rest in _SCORES.rows(list(lead_ids))
    }
    return {lead_id: listed.get(lead_id, unscored) for lead_id in lead_ids}


def _grade(
    cells: frozenset[str], cell: str, score: Decimal | None, week_ago: Decimal | None
) -> Grade:
    if score is None or not cell:
        return Grade("", cells, None, None)
    change = int(score) - int(week_ago) if week_ago is not None else None
    return Grade(cell, cells, int(score), change)


def _grade_cell(_lead: Lead, listed: ListedScore, _now: datetime) -> str:
    grade = listed.grade
    cell = grade_cell(grade.cell, grade.definition)
    if grade.score is None:
        return cell
    change = trend(grade.change) if grade.change is not None else ""
    return markup('{}<b class="score">{}</b>{}', cell, grade.score, change)


def _persona_cell(_lead: Lead, listed: ListedScore, _now: datetime) -> str:
    return listed.persona or markup('<span class="sub">{}</span>', "Unknown")


def _expiry_cell(_lead: Lead, listed: ListedScore, now: datetime) -> str:
    return _day_cell(listed.drops_out_at, now)


def _level_cell(_lead: Lead, listed: ListedScore, now: datetime) -> str:
    return _day_cell(listed.level_changes_at, now)


def _day_cell(at: datetime | None, now: datetime) -> str:
    if at is None:
        return ""
    local = at.astimezone(now.tzinfo)
    return markup('<time datetime="{}">{}</time>', local.isoformat(), words.day(local, now))


def load_chances(lead_ids: Sequence[int], _viewer: User, _now: datetime) -> Mapping[int, Decimal]:
    """Return the chance between 0 and 1 that the model shown gave each lead last, if any."""
    predictions = LeadPrediction.objects.filter(pk__in=lead_ids)
    return dict(predictions.values_list("pk", "chance"))


def _chance_cell(_lead: Lead, chance: Decimal | None, _now: datetime) -> str:
    return _percent(chance)


def _percent(chance: Decimal | None) -> str:
    return f"{chance_words(chance)} %" if chance is not None else ""


SCORE_COLUMNS = (
    Column(
        "grade", "Grade, score, 7 d", 30, load=load_scores, draw=_grade_cell,
        sort=("-score__engagement_score?", "-id"), sort_words=("Highest score first",),
        export=lambda listed: str(listed.grade),
    ),
    Column(
        "persona", "Persona", 40, load=load_scores, draw=_persona_cell, align="is-short",
        export=lambda listed: listed.persona,
    ),
    Column(
        "expires", "Expires on", 35, load=load_scores, draw=_expiry_cell,
        align="num", sort=("score__drops_out_at?", "id"), sort_words=("First to drop out first",),
        is_default=False,
        export=lambda listed: listed.drops_out_at,
    ),
    Column(
        "level_changes", "Level changes on", 36, load=load_scores, draw=_level_cell,
        align="num", sort=("score__level_changes_at?", "id"), sort_words=("First to change first",),
        is_default=False,
        export=lambda listed: listed.level_changes_at,
    ),
    Column(
        "chance", "Predicted", 37, load=load_chances, draw=_chance_cell,
        align="num", sort=("-prediction__chance?", "-id"), sort_words=("Most likely first",),
        is_default=False,
        export=_percent,
    ),
)  # fmt: skip

SCORE_VIEWS = (
    SavedView(
        "hot",
        "Hot, not yet MQL",
        20,
        {
            "all": [
                {"field": "open", "op": "is", "value": "yes"},
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
                {"field": "open", "op": "is", "value": "yes"},
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

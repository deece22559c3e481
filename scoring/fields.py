"""What criteria can ask of a lead's score; ``furniture`` registers it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Q

from crm.common.criteria import Field, Kind, Op, column_field
from crm.common.criteria.fields import Choices
from scoring.definition import GRADES, LEVELS
from scoring.definition.reading import SCORE_GROUP
from scoring.services import definition_of, published_model

_CELLS = [(f"{grade}{level}", f"{grade}{level}") for grade in GRADES for level in LEVELS]
_GRADES = [(grade, grade) for grade in GRADES]
_LEVELS = [(str(level), str(level)) for level in LEVELS]


def _personas() -> Choices:
    model = published_model()
    personas = definition_of(model).personas if model else ()
    return [(persona.name, persona.name) for persona in personas]


def _code(
    name: str, label: str, order: int, choices: Callable[[], Choices], **options: Any
) -> Field:
    return column_field(
        name, label, Kind.CHOICE, path=f"score__{options.pop('column', name)}", order=order,
        group=SCORE_GROUP, choices=choices, **options,
    )  # fmt: skip


def _level_q(op: Op, value: Any, _: datetime) -> Q:
    levels = Q(score__engagement_level__in=[int(code) for code in value])
    return levels if op is Op.IN else Q(score__engagement_level__isnull=False) & ~levels


def _yes_or_no(name: str, label: str, order: int, holds: Q) -> Field:
    return Field(
        name, label, Kind.BOOLEAN, order=order, group=SCORE_GROUP,
        q=lambda _op, value, _now: holds if value else ~holds,
    )  # fmt: skip


SCORE_FIELDS = (
    _code("cell", "Grade cell", 10, lambda: _CELLS),
    _code("fit_grade", "Fit grade", 20, lambda: _GRADES),
    Field(
        "level", "Engagement level", Kind.CHOICE, q=_level_q, choices=lambda: _LEVELS,
        ops=(Op.IN, Op.NOT_IN), order=30, group=SCORE_GROUP,
    ),
    column_field(
        "fit", "Fit", Kind.NUMBER, path="score__fit_score", order=40, group=SCORE_GROUP
    ),
    column_field(
        "engagement", "Engagement", Kind.NUMBER, path="score__engagement_score", order=50,
        group=SCORE_GROUP,
    ),
    _code("persona", "Persona", 60, _personas, is_open=True),
    _yes_or_no("meets", "Meets the MQL definition", 70, Q(score__meets_definition=True)),
    _yes_or_no("open", "Can still become an MQL", 75, Q(score__is_open=True)),
    _yes_or_no("evaluated", "Fit is evaluated", 80, Q(score__fit_score__isnull=False)),
    column_field(
        "expires", "Drops out", Kind.DATE, path="score__drops_out_at", order=90,
        ops=(Op.COMING, Op.BEFORE, Op.AFTER, Op.IS_SET, Op.IS_EMPTY), group=SCORE_GROUP,
    ),
    column_field(
        "level_changes", "Level changes", Kind.DATE, path="score__level_changes_at", order=95,
        ops=(Op.COMING, Op.BEFORE, Op.AFTER, Op.IS_SET, Op.IS_EMPTY), group=SCORE_GROUP,
    ),
    column_field(
        "disqualified_by", "Disqualifier", Kind.TEXT, path="score__disqualified_by", order=100,
        group=SCORE_GROUP,
    ),
)  # fmt: skip

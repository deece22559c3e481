"""The score on the lead page: the cell beside the name, the breakdown at the right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.ui.scores import ScoreLine
from leads.models import Lead
from scoring.decay_chart import AHEAD, FARTHEST, PAST, DecayChart, decay_chart
from scoring.explanation import Explanation, Line, threshold
from scoring.forms import AsOfForm
from scoring.models import HEAVY, LeadScore
from scoring.services import (
    NoModel,
    definition_of,
    explain,
    model_at,
    published_model,
    reason_of_mql,
)
from scoring.services.course import score_course

_HEAVY = PreparedQuery(
    lambda lead: LeadScore.objects.filter(lead_id=lead, acts__gt=HEAVY, model__isnull=False)
)


def score_panel(lead: Lead, _viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return the score of a lead as of now; None before a model was published.

    Of a lead with very many acts the page shows the cell as last computed, as ``stored``, and
    fetches what takes longer than itself.
    """
    stored = next(iter(_HEAVY.ask(lead.pk)), None)
    model = published_model() if stored else None
    if stored and model:
        return {"stored": stored, "definition": definition_of(model).cells}
    return explained(lead, form=AsOfForm(), now=now)


def explained(lead: Lead, *, form: AsOfForm, now: datetime) -> Mapping[str, Any] | None:
    """Return what the panel shows of a score, as of now or of the time that ``form`` asks for.

    None before a model was published.
    """
    as_of = form.moment(now)
    try:
        told = explain(lead_id=lead.pk, as_of=as_of)
    except NoModel:
        return None
    return {
        "told": told,
        "engagement": _shown((*told.engagement_lines, *told.uncounted)),
        "fit": _shown(told.fit_lines),
        "form": form,
        "is_past": as_of < now,
        "is_captured": lead.created_at <= as_of,
    }


def why(lead: Lead, *, form: AsOfForm, now: datetime) -> str:
    """Return why the lead was an MQL at the time that ``form`` asks for; nothing if it was none."""
    return reason_of_mql(lead_id=lead.pk, moment=form.moment(now))


def _shown(lines: tuple[Line, ...]) -> list[ScoreLine]:
    return [ScoreLine(line.text, line.points, line.how, line.is_known) for line in lines]


def drawn(lead: Lead, *, form: AsOfForm, now: datetime) -> DecayChart | None:
    """Return the course of a score; None of a lead that did nothing that counts."""
    as_of = form.moment(now)
    model = model_at(as_of)
    if model is None:
        return None
    told = explain(lead_id=lead.pk, as_of=as_of)
    course = score_course(model, lead_id=lead.pk, now=as_of, back=PAST, ahead=_reach(told))
    if not any(score for _, score in course.past):
        return None
    leaves = told.drops_out_at
    return decay_chart(
        [(timezone.localtime(moment), score) for moment, score in course.past],
        [(timezone.localtime(moment), score) for moment, score in course.ahead],
        threshold=threshold(definition_of(model), told.cell) // 10,
        drops_out_at=timezone.localtime(leaves) if leaves else None,
        is_past=as_of < now,
    )


def _reach(told: Explanation) -> timedelta:
    """Return how far to look ahead: somewhat beyond the exit, if that is not too far away."""
    exit_in = told.drops_out_at - told.as_of if told.drops_out_at else AHEAD
    return min(max(AHEAD, exit_in * 1.25), FARTHEST)

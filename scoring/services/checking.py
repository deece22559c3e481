"""Holding the stored scores against a recompute: the store is a cache and must say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from leads.models import Lead
from scoring.definition import Definition
from scoring.forecast import forecast
from scoring.models import LeadScore, ScoringModel
from scoring.query import ask_each
from scoring.scored import Scored, points, score_leads
from scoring.services.publishing import definition_of, published_model

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of a stored score that a recompute sees differently."""

    lead_id: int
    column: str
    stored: Any
    computed: Any

    def __str__(self) -> str:
        """Return it as a line."""
        return f"lead {self.lead_id}: {self.column} is {self.stored}, computed {self.computed}"


def checkable_scores(*, now: datetime) -> Iterator[list[LeadScore]]:
    """Yield, in batches, the scores that should be right: of the model in force, and not due."""
    model = published_model()
    settled = Q(score_due_at__isnull=True) | Q(score_due_at__gt=now)
    scores = LeadScore.objects.filter(settled, model=model, computed_at__isnull=False)
    last = 0
    while batch := list(scores.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        yield batch
        last = batch[-1].pk


def lost_leads() -> list[int]:
    """Return leads without a score of the model in force of which nothing will compute one."""
    model = published_model()
    if model is None or model.rescored_up_to is not None:
        return []
    never = Lead.objects.filter(score__isnull=True).order_by("pk")
    stale = LeadScore.objects.filter(score_due_at__isnull=True).exclude(model=model).order_by("pk")
    return [*never.values_list("pk", flat=True), *stale.values_list("pk", flat=True)]


def differences(scores: Sequence[LeadScore]) -> Iterator[Difference]:
    """Compute scores again as of when they were computed, and yield what differs."""
    model = published_model()
    if model is None:
        return
    for moment, group in _by_moment(model, scores).items():
        moments = {score.pk: score.computed_at for score in group if score.computed_at}
        found = score_leads(definition_of(model), list(moments), ask_each(moments), now=moment)
        computed = {each.lead_id: each for each in found}
        for score in group:
            yield from _differences(definition_of(model), score, computed[score.pk])


def _by_moment(model: ScoringModel, scores: Sequence[LeadScore]) -> dict[datetime, list[LeadScore]]:
    """Group scores that may be computed together: all, unless criteria ask for relative dates."""
    groups = defaultdict(list)
    together = max(score.computed_at for score in scores if score.computed_at)
    for score in scores:
        apart = definition_of(model).moves_with_time and score.computed_at
        groups[apart or together].append(score)
    return groups


def _differences(
    definition: Definition, score: LeadScore, computed: Scored
) -> Iterable[Difference]:
    pairs: dict[str, tuple[Any, Any]] = {
        "fit_score": (score.fit_score, points(computed.fit)),
        "fit_grade": (score.fit_grade, computed.grade),
        "persona": (score.persona, computed.persona),
        "engagement_score": (score.engagement_score, points(computed.score)),
        "engagement_level": (score.engagement_level, computed.level),
        "cell": (score.cell, computed.cell),
        "meets_definition": (score.meets_definition, computed.meets_definition),
        "disqualified_by": (score.disqualified_by, computed.disqualified_by),
        **_forecasts(definition, score, computed),
    }
    for column, (stored, told) in pairs.items():
        if stored != told:
            yield Difference(score.pk, column, stored, told)


def _forecasts(
    definition: Definition, score: LeadScore, computed: Scored
) -> dict[str, tuple[Any, Any]]:
    """Return what is foreseen; a renewal leaves it, and the score of a week ago, to the sweep."""
    if score.engagement_week_ago is None:
        return {}
    inside = computed.cell if computed.meets_definition else ""
    ahead = forecast(definition, computed.amounts, now=computed.as_of, cell=inside)
    return {
        "changes_at": (score.changes_at, ahead.changes_at),
        "drops_out_at": (score.drops_out_at, ahead.drops_out_at),
        "level_changes_at": (score.level_changes_at, ahead.level_changes_at),
    }

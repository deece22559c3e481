"""How far the renewal of all scores is, after a model was published."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max, Min

from crm.common.paging import Count, estimate_count
from leads.models import Lead
from scoring.enums import ModelState
from scoring.models import ScoringModel


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of all leads have a score of the model in force."""

    model: ScoringModel
    done: int
    total: Count


def renewal_progress() -> Progress | None:
    """Return how far the renewal is, None when no score is owed to a publication."""
    models = ScoringModel.objects.filter(state=ModelState.PUBLISHED, rescored_up_to__isnull=False)
    model = models.first()
    if model is None:
        return None
    total = estimate_count(Lead.objects.all())
    return Progress(model, round(total.value * _share(model.rescored_up_to or 0)), total)


def _share(up_to: int) -> float:
    """Return which part of the numbers that leads have is behind; counting them all takes long."""
    ends: dict[str, int | None] = Lead.objects.aggregate(first=Min("pk"), last=Max("pk"))
    first, last = ends["first"], ends["last"]
    if first is None or last is None:
        return 1
    return max(0, up_to - first + 1) / (last - first + 1)

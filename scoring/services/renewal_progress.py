"""How far the renewal of all scores is, after a model was published."""

from __future__ import annotations

from dataclasses import dataclass

from leads.models import Lead
from scoring.enums import ModelState
from scoring.models import ScoringModel


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of all leads have a score of the model in force."""

    model: ScoringModel
    done: int
    total: int


def renewal_progress() -> Progress | None:
    """Return how far the renewal is, None when no score is owed to a publication."""
    models = ScoringModel.objects.filter(state=ModelState.PUBLISHED, rescored_up_to__isnull=False)
    model = models.first()
    if model is None:
        return None
    done = Lead.objects.filter(pk__lte=model.rescored_up_to).count()
    return Progress(model, done, Lead.objects.count())

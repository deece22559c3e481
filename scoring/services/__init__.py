"""Everything that writes scores and models, and what other apps ask of them."""

from scoring.services.fast_track import fast_track_act
from scoring.services.marking import mark_due
from scoring.services.publishing import (
    NotADraft,
    create_draft,
    definition_of,
    model_at,
    publish,
    published_model,
)
from scoring.services.refresh import BATCH, score_due_leads
from scoring.services.renewal import renew_scores

__all__ = [
    "BATCH",
    "NotADraft",
    "create_draft",
    "definition_of",
    "fast_track_act",
    "mark_due",
    "model_at",
    "publish",
    "published_model",
    "renew_scores",
    "score_due_leads",
]

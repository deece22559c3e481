"""Everything that writes scores and models, and what other apps ask of them."""

from scoring.services.explaining import NoModel, explain, explain_by, why_mql
from scoring.services.fast_track import BuyingAct, buying_act
from scoring.services.gains import gains
from scoring.services.hits import count_rule_hits
from scoring.services.marking import mark_due
from scoring.services.publishing import (
    NotADraft,
    create_draft,
    definition_of,
    ensure_model,
    model_at,
    publish,
    published_model,
)
from scoring.services.refresh import BATCH, score_due_leads, score_now
from scoring.services.renewal import renew_scores, start_renewal
from scoring.services.snapshots import snapshot_move

__all__ = [
    "BATCH",
    "BuyingAct",
    "NoModel",
    "NotADraft",
    "buying_act",
    "count_rule_hits",
    "create_draft",
    "definition_of",
    "ensure_model",
    "explain",
    "explain_by",
    "gains",
    "mark_due",
    "model_at",
    "publish",
    "published_model",
    "renew_scores",
    "score_due_leads",
    "score_now",
    "snapshot_move",
    "start_renewal",
    "why_mql",
]

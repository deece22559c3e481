"""The score that goes into the history of stages with every move."""

from __future__ import annotations

from leads.lifecycle import ScoreSnapshot
from leads.models import StageInterval
from leads.services import freeze_score
from scoring.models import LeadScore


def snapshot_move(*, change: StageInterval) -> None:
    """Keep the score as last computed with a move that came without; in the transaction of it."""
    if change.model_version is not None:
        return
    scores = LeadScore.objects.filter(pk=change.lead_id, computed_at__isnull=False)
    score = scores.select_related("model").first()
    if score and score.model:
        freeze_score(
            change=change,
            snapshot=ScoreSnapshot(
                model_version=score.model.version,
                fit_score=score.fit_score,
                engagement_score=score.engagement_score,
                cell=score.cell,
            ),
        )

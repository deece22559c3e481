"""What a score makes of a lead: MQL by the grid or by a buying act, or disqualified."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists

from crm.common.singly import do_singly
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import ScoreSnapshot, change_stage
from scoring.definition import Definition
from scoring.models import LeadScore, ScoringModel
from scoring.scored import Scored, points
from scoring.services.fast_track import BuyingAct, buying_acts
from scoring.services.locking import keep_in_force
from scoring.services.publishing import published_model
from scoring.services.reviewing import draw_for_review
from scoring.services.standing import OPEN_STAGES, RETRY_AFTER, facts_since, with_news

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Move:
    """A change of stage that a score asks for, and why; the score is then due at ``due_at``.

    ``model_id`` is the model that asks for it. ``review_percent`` of the disqualified are drawn for
    review.
    """

    model_id: int
    lead_id: int
    to_stage: LifecycleStage
    rule: str
    reason: str
    snapshot: ScoreSnapshot
    due_at: datetime | None
    review_percent: int


def owed_moves(
    model: ScoringModel,
    definition: Definition,
    scored: Sequence[Scored],
    next_due: Mapping[int, datetime | None],
    *,
    now: datetime,
) -> list[Move]:
    """Return the moves that leads with news owe, now that they are scored.

    ``next_due`` is when each lead is to be scored again if it stays as it is.
    """
    fresh = with_news(model, [each.lead_id for each in scored])
    bought = buying_acts(definition, list(fresh), now=now)
    pardoned = _pardoned([each.lead_id for each in scored if each.disqualified_by])
    moves = []
    for each in scored:
        if each.lead_id not in fresh:
            continue
        if each.disqualified_by and each.lead_id not in pardoned:
            to_stage, reason = LifecycleStage.DISQUALIFIED, each.disqualified_by
            rule = f"Disqualifier of model v{model.version}"
        else:
            to_stage, reason = LifecycleStage.MQL, ""
            rule = qualifying_rule(model, definition, each, bought.get(each.lead_id))
        if rule:
            moves.append(
                Move(
                    model_id=model.pk,
                    lead_id=each.lead_id,
                    to_stage=to_stage,
                    rule=rule,
                    reason=reason,
                    snapshot=snapshot_of(model, each),
                    due_at=next_due[each.lead_id],
                    review_percent=definition.review_percent,
                )
            )
    return moves


def qualifying_rule(
    model: ScoringModel, definition: Definition, scored: Scored, bought: BuyingAct | None
) -> str:
    """Return why the lead becomes an MQL, nothing when it does not."""
    if scored.blocked_by:
        return ""
    if bought:
        act = bought.kind.label
        return f"Fast track: {act[0].lower()}{act[1:]}"
    if scored.cell in definition.cells:
        return f"Cell {scored.cell} is in the definition, model v{model.version}"
    return ""


def make_moves(moves: Sequence[Move], *, now: datetime) -> None:
    """Make each move in a transaction of its own; one that fails is tried again later."""

    def give_up(move: Move, _: Exception) -> None:
        logger.exception("Could not move lead %s to %s", move.lead_id, move.to_stage)
        put_off(lead_id=move.lead_id, now=now)

    do_singly(moves, lambda move: _make(move, now), give_up=give_up)


def put_off(*, lead_id: int, now: datetime) -> None:
    """Try a lead again in a while, unless it has news in the meantime."""
    LeadScore.objects.filter(pk=lead_id).due(now).update(score_due_at=now + RETRY_AFTER)


def _pardoned(lead_ids: Sequence[int]) -> set[int]:
    """Return the leads that a person brought back, and of which nothing was learned since.

    What disqualified them was known to that person; only a new attribute asks again.
    """
    if not lead_ids:
        return set()
    back = Lead.objects.filter(pk__in=lead_ids, cycle__gt=1)
    return set(back.exclude(Exists(facts_since("stage_since"))).values_list("pk", flat=True))


def snapshot_of(model: ScoringModel, scored: Scored) -> ScoreSnapshot:
    """Return the score of a lead as it goes into the history of its stages."""
    return ScoreSnapshot(
        model_version=model.version,
        fit_score=points(scored.fit),
        engagement_score=points(scored.score),
        cell=scored.cell,
    )


@transaction.atomic
def _make(move: Move, now: datetime) -> None:
    """Move the lead unless somebody else has, and settle its score.

    When another model has come into force the lead stays due: the next sweep judges it by that one.
    """
    keep_in_force()
    model = published_model()
    if model is None or model.pk != move.model_id:
        return
    lead = Lead.objects.select_for_update(no_key=True).get(pk=move.lead_id)
    if lead.stage in OPEN_STAGES and lead.merged_into_id is None:
        change = change_stage(
            lead_id=lead.pk,
            to_stage=move.to_stage,
            now=now,
            rule=move.rule,
            reason=move.reason,
            snapshot=move.snapshot,
        )
        if move.to_stage is LifecycleStage.DISQUALIFIED:
            draw_for_review(change=change, percent=move.review_percent)
    settled = LeadScore.objects.filter(pk=lead.pk, score_due_at=now)
    settled.update(score_due_at=move.due_at, has_news=False)

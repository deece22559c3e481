"""Predictions by the active formula: of one lead when asked, of all in rounds. Nothing decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction

from crm.accounts.models import User
from crm.common.locks import hold
from leads.enums import LifecycleStage
from leads.models import Lead
from scoring.cases import Case
from scoring.knowledge import read_known
from scoring.models import LeadPrediction, PredictiveModel
from scoring.predictive.formula import Formula, Reason, read_formula

S = LifecycleStage

#: A round over all leads begins so long after the one before. Our choice: a chance moves slowly.
EVERY = timedelta(hours=1)
BATCH = 2_000
_LEAST = 0.01
#: What is held to choose the model that is shown. Not its table: a round at work writes there.
_SHOWN = "the predictive model that is shown"
_BEFORE_SQL = (S.LEAD, S.RECYCLED, S.MQL, S.SAL)
_BEFORE_WON = (*_BEFORE_SQL, S.SQL)
_STORE = """
    INSERT INTO scoring_leadprediction AS kept (lead_id, chance, model_id, computed_at)
    SELECT lead_id, chance, %s, %s
    FROM unnest(%s::bigint[], %s::numeric[]) AS told (lead_id, chance) ORDER BY lead_id
    ON CONFLICT (lead_id) DO UPDATE
    SET chance = excluded.chance, model_id = excluded.model_id, computed_at = excluded.computed_at
    WHERE (kept.chance, kept.model_id) <> (excluded.chance, excluded.model_id)
"""


class NotTrained(Exception):
    """Only a training that ended well can be shown."""

    def __init__(self) -> None:
        """Compose the sentence a person reads."""
        super().__init__("This training has found no formula, so there is nothing to show.")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the active formula says of one lead, and by what; shares are between 0 and 1."""

    model: PredictiveModel
    chance: float
    average: float
    leads: int
    reasons: Sequence[Reason]

    @property
    def percent(self) -> str:
        """Return the chance as it is shown: nothing is certain."""
        return chance_words(self.chance)

    @property
    def average_percent(self) -> int:
        """Return the share of the sample that reached the target, as it is shown."""
        return round(100 * self.average)


def chance_words(chance: float | Decimal) -> str:
    """Return a chance between 0 and 1 in whole percent, never as 0 or 100."""
    if chance < _LEAST:
        return "under 1"
    return "over 99" if chance > 1 - _LEAST else str(round(100 * chance))


@transaction.atomic
def activate(*, model_id: int, actor: User, now: datetime) -> None:
    """Show the predictions of a trained model, in place of the one shown so far.

    What the former one said of leads is forgotten at once, or lists would be in an order that
    nobody sees. A round at work holds its model, so that none writes after this.

    Raises:
        NotTrained: when it has no formula.
    """
    hold(_SHOWN)
    model = PredictiveModel.objects.get(pk=model_id)
    if not model.is_trained:
        raise NotTrained
    if model.is_active:
        return
    _forget()
    model.is_active, model.activated_at, model.activated_by = True, now, actor
    model.scored_up_to = model.round_started_at = None
    model.save(
        update_fields=[
            "is_active", "activated_at", "activated_by", "scored_up_to", "round_started_at",
        ]
    )  # fmt: skip


@transaction.atomic
def deactivate() -> None:
    """Show no predictions any more, and forget them."""
    hold(_SHOWN)
    _forget()


def _forget() -> None:
    PredictiveModel.objects.active().update(is_active=False)
    LeadPrediction.objects.all().delete()


def predict(*, lead: Lead, now: datetime) -> Prediction | None:
    """Return the prediction for one lead by what is known at ``now``.

    None while no model is active, and of a lead that has reached the target or is out.
    """
    model = PredictiveModel.objects.active().first()
    if model is None or lead.stage not in _stages_ahead(model):
        return None
    formula = read_formula(model.formula or {})
    known = read_known([Case(lead.pk, now, now, False)])[lead.pk].then
    sample = (model.results or {})["sample"]
    return Prediction(
        model=model,
        chance=formula.chance(known),
        average=sample["positives"] / sample["leads"],
        leads=sample["leads"],
        reasons=formula.reasons(known),
    )


@transaction.atomic
def renew_predictions(*, now: datetime, limit: int = BATCH) -> int:
    """Predict the next ``limit`` leads of a round and return how many were looked at.

    A round begins ``EVERY`` so often and goes through all leads. A second caller does nothing while
    the first one works; a crash goes on where it stood.
    """
    model = PredictiveModel.objects.active().select_for_update(skip_locked=True).first()
    if model is None or not _is_round_due(model, now):
        return 0
    if model.scored_up_to is None:
        model.scored_up_to, model.round_started_at = 0, now
    ahead = Lead.objects.filter(pk__gt=model.scored_up_to).order_by("pk")
    lead_ids = list(ahead.values_list("pk", flat=True)[:limit])
    _predict_range(model, lead_ids, now)
    model.scored_up_to = lead_ids[-1] if lead_ids else None
    model.save(update_fields=["scored_up_to", "round_started_at"])
    return len(lead_ids)


def _is_round_due(model: PredictiveModel, now: datetime) -> bool:
    if model.scored_up_to is not None or model.round_started_at is None:
        return True
    return now - model.round_started_at >= EVERY


def _predict_range(model: PredictiveModel, lead_ids: Sequence[int], now: datetime) -> None:
    """Store the chances of leads that may still reach the target; forget those of the others."""
    if not lead_ids:
        return
    ahead = Lead.objects.standing().filter(pk__in=lead_ids, stage__in=_stages_ahead(model))
    open_leads = list(ahead.order_by("pk").values_list("pk", flat=True))
    over = set(lead_ids).difference(open_leads)
    LeadPrediction.objects.filter(pk__in=over).delete()
    chances = _chances(read_formula(model.formula or {}), open_leads, now)
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [model.pk, now, list(chances), list(chances.values())])


def _chances(formula: Formula, lead_ids: Sequence[int], now: datetime) -> dict[int, float]:
    known = read_known([Case(lead_id, now, now, False) for lead_id in lead_ids])
    return {lead_id: round(formula.chance(told.then), 3) for lead_id, told in known.items()}


def _stages_ahead(model: PredictiveModel) -> tuple[LifecycleStage, ...]:
    return _BEFORE_SQL if model.target == "sql" else _BEFORE_WON

"""Models that change what was agreed, and agreements drafted and signed for them."""

from __future__ import annotations

from typing import Any

from crm.accounts.enums import Role
from handoff.enums import Side
from handoff.models import Agreement
from handoff.services import draft_for_model, sign_agreement
from scoring.models import ScoringModel
from scoring.presets import default_definition
from tests.factories import NOW, make_user

ROLE_OF = {Side.MARKETING: Role.MARKETER, Side.SALES: Role.MANAGER}


def same_meaning() -> dict[str, Any]:
    """Return the shipped model with other points and thresholds, and the same MQL definition."""
    changed = default_definition()
    changed["engagement"]["groups"][0]["rules"][0]["points"] = 29
    changed["fit"]["grades"]["A"] = 85
    return changed


def drafted(model: ScoringModel) -> Agreement:
    """Draft the agreement that a model needs."""
    return draft_for_model(model_id=model.pk, actor=make_user(Role.MARKETER), now=NOW)


def signed(agreement: Agreement, *sides: Side, now: Any = NOW) -> Agreement:
    """Sign for the sides named, by default for both, each by another person."""
    for side in sides or (Side.MARKETING, Side.SALES):
        agreement = sign_agreement(
            agreement_id=agreement.pk, signer=make_user(ROLE_OF[side]), side=side, now=now
        )
    return agreement

"""What became of handoffs, as conditions on their clocks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.lookups import Exact, IsNull

from handoff.enums import HandoffState
from leads.enums import LifecycleStage
from leads.models import StageInterval


class Outcome(StrEnum):
    """What became of a handoff, as the scorecard counts it."""

    ANSWERED = "answered"
    ACCEPTED = "accepted"
    DECIDED = "decided"
    QUALIFIED = "qualified"
    GIVEN_UP = "given_up"
    SETTLED = "settled"
    WON = "won"


_DECIDED = (HandoffState.QUALIFIED, HandoffState.RECYCLED, HandoffState.DISQUALIFIED)
_IS_QUALIFIED = Q(handoff__state=HandoffState.QUALIFIED)
# What the deal of the handoff's own cycle came to last: a lead may be won in a later one.
_ENDED_AS = Subquery(
    StageInterval.objects.filter(
        lead=OuterRef("handoff__lead"),
        cycle=OuterRef("handoff__cycle"),
        stage__in=(LifecycleStage.WON, LifecycleStage.LOST),
    )
    .order_by("-sequence")
    .values("stage")[:1]
)
OUTCOMES: Mapping[Outcome, Q] = {
    Outcome.ANSWERED: Q(handoff__accepted_at__isnull=False)
    | Q(handoff__state=HandoffState.REJECTED),
    Outcome.ACCEPTED: Q(handoff__accepted_at__isnull=False),
    Outcome.DECIDED: Q(handoff__state__in=_DECIDED),
    Outcome.QUALIFIED: _IS_QUALIFIED,
    Outcome.GIVEN_UP: Q(
        handoff__state__in=(HandoffState.RECYCLED, HandoffState.DISQUALIFIED),
        handoff__connected_at__isnull=True,
        handoff__imported__isnull=True,
    ),
    Outcome.SETTLED: _IS_QUALIFIED & Q(IsNull(_ENDED_AS, False)),
    Outcome.WON: _IS_QUALIFIED & Q(Exact(_ENDED_AS, Value(LifecycleStage.WON.value))),
}
OUTCOME_LABELS = {
    Outcome.ANSWERED: "Accepted or rejected",
    Outcome.ACCEPTED: "Accepted by sales",
    Outcome.DECIDED: "With a verdict",
    Outcome.QUALIFIED: "Became SQL",
    Outcome.GIVEN_UP: "Given up without a conversation",
    Outcome.SETTLED: "SQLs won or lost",
    Outcome.WON: "SQLs won",
}

"""The transition table: which stage may follow which, and when a new cycle begins. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from leads.enums import LifecycleStage

S = LifecycleStage

#: Stage -> stages that may follow it. RECYCLED -> MQL is the way back in.
TRANSITIONS: Mapping[LifecycleStage, frozenset[LifecycleStage]] = MappingProxyType(
    {
        S.LEAD: frozenset({S.MQL, S.DISQUALIFIED}),
        S.MQL: frozenset({S.SAL, S.RECYCLED, S.DISQUALIFIED}),
        S.SAL: frozenset({S.SQL, S.RECYCLED, S.DISQUALIFIED}),
        S.SQL: frozenset({S.WON, S.LOST, S.RECYCLED, S.DISQUALIFIED}),
        S.WON: frozenset(),
        S.LOST: frozenset({S.RECYCLED, S.DISQUALIFIED}),
        S.RECYCLED: frozenset({S.MQL, S.DISQUALIFIED}),
        S.DISQUALIFIED: frozenset({S.LEAD}),
    }
)

#: Moves people make by hand, MQL being the handing over of a lead whatever its score. The others
#: have a door of their own: acceptance, BANT, deal.
_BY_HAND = frozenset({S.LEAD, S.MQL, S.RECYCLED, S.DISQUALIFIED})
#: A cycle that reached one of these is over ...
_CLOSED = frozenset({S.WON, S.LOST, S.DISQUALIFIED})
#: ... so that coming back to one of these is the next cycle. Back to SAL or SQL is a correction.
_CYCLE_STARTS = frozenset({S.LEAD, S.MQL})


class IllegalTransition(Exception):
    """The table forbids the move; the message names both stages and what is allowed."""

    def __init__(self, from_stage: LifecycleStage, to_stage: LifecycleStage) -> None:
        """Compose the sentence a person reads."""
        allowed = ", ".join(sorted(TRANSITIONS[from_stage])) or "nothing: it is final"
        super().__init__(f"{from_stage} -> {to_stage} is not allowed; allowed: {allowed}")
        self.from_stage = from_stage
        self.to_stage = to_stage


@dataclass(frozen=True)
class ScoreSnapshot:
    """The score of a lead at the moment of a move: points 0 to 100 with one decimal, grade cell."""

    model_version: int
    fit_score: Decimal | None
    engagement_score: Decimal | None
    cell: str = ""


def check_transition(from_stage: LifecycleStage, to_stage: LifecycleStage) -> None:
    """Return when the table allows the move.

    Raises:
        IllegalTransition: when it does not.
    """
    if to_stage not in TRANSITIONS[from_stage]:
        raise IllegalTransition(from_stage, to_stage)


def moves_by_hand(stage: LifecycleStage) -> list[LifecycleStage]:
    """Return where a person may move a lead from ``stage`` without overriding anything."""
    return [each for each in S if each in TRANSITIONS[stage] & _BY_HAND]


def overrides(stage: LifecycleStage) -> list[LifecycleStage]:
    """Return where only an override takes a lead from ``stage``."""
    return [each for each in S if each is not stage and each not in TRANSITIONS[stage]]


def cycle_after(cycle: int, from_stage: LifecycleStage, to_stage: LifecycleStage) -> int:
    """Return the cycle a lead is in after the move.

    Recycling starts the next one, and so does the way back from an end to the start of the funnel.
    """
    starts = to_stage is S.RECYCLED or (from_stage in _CLOSED and to_stage in _CYCLE_STARTS)
    return cycle + 1 if starts else cycle

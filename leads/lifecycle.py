"""The transition table: which stage may follow which, and when a new cycle begins. Pure."""

from collections.abc import Mapping
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

#: Entering one of these from outside the funnel's middle starts the next trip of the lead.
_CYCLE_STARTS = frozenset({(S.DISQUALIFIED, S.LEAD)})


class IllegalTransition(Exception):
    """The table forbids the move; the message names both stages and what is allowed."""

    def __init__(self, from_stage: LifecycleStage, to_stage: LifecycleStage) -> None:
        """Compose the sentence a person reads."""
        allowed = ", ".join(sorted(TRANSITIONS[from_stage])) or "nothing: it is final"
        super().__init__(f"{from_stage} -> {to_stage} is not allowed; allowed: {allowed}")
        self.from_stage = from_stage
        self.to_stage = to_stage


def check_transition(from_stage: LifecycleStage, to_stage: LifecycleStage) -> None:
    """Return when the table allows the move.

    Raises:
        IllegalTransition: when it does not.
    """
    if to_stage not in TRANSITIONS[from_stage]:
        raise IllegalTransition(from_stage, to_stage)


def cycle_after(cycle: int, from_stage: LifecycleStage, to_stage: LifecycleStage) -> int:
    """Return the cycle a lead is in after the move; recycling and reinstating start a new one."""
    if to_stage is S.RECYCLED or (from_stage, to_stage) in _CYCLE_STARTS:
        return cycle + 1
    return cycle

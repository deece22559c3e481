"""What is owed while no agreement is in force, and where a rejected lead goes. Pure.

The figures are our choice: a company that has signed nothing is still measured, and the pages say
by what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from handoff.enums import ClockKind, RejectionReason, TimesOutTo
from leads.enums import LifecycleStage

DEFAULT_ATTEMPTS_OWED = 6

#: After a rejection that sends the lead back to nurture, when it is looked at again.
WAKE_AFTER_REJECTION = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Enforcement:
    """When people are told of a deadline, and when the handoff goes to somebody else.

    Warnings are percent of a clock's working time, the rest is working time; see ``Agreement``.
    """

    first_warning: int = 50
    last_warning: int = 80
    escalate_after: timedelta = timedelta(0)
    reassign_after: timedelta | None = None
    times_out_to: TimesOutTo = TimesOutTo.NEXT_REP


DEFAULT_ENFORCEMENT = Enforcement()

#: What the buyer waits for: once it is missed for long enough, somebody else shall do it. A verdict
#: is not among them, since it is owed by the one who speaks with the buyer.
TIMES_OUT = (ClockKind.ACCEPT, ClockKind.FIRST_TOUCH)

Targets = Mapping[ClockKind, timedelta]

_FAST_TRACK: Targets = MappingProxyType(
    {
        ClockKind.ACCEPT: timedelta(minutes=15),
        ClockKind.FIRST_TOUCH: timedelta(minutes=30),
        ClockKind.VERDICT: timedelta(hours=16),
    }
)
_OTHERS: Targets = MappingProxyType(
    {
        ClockKind.ACCEPT: timedelta(hours=2),
        ClockKind.FIRST_TOUCH: timedelta(hours=4),
        ClockKind.VERDICT: timedelta(hours=40),
    }
)


def default_targets(*, is_fast_track: bool) -> Targets:
    """Return the working time allowed per clock when no agreement says otherwise."""
    return _FAST_TRACK if is_fast_track else _OTHERS


#: What can change with time goes back to nurture, what will not goes out; both can be undone.
WAY_OUT: Mapping[RejectionReason, LifecycleStage] = MappingProxyType(
    {
        RejectionReason.NOT_A_FIT: LifecycleStage.DISQUALIFIED,
        RejectionReason.COMPETITOR: LifecycleStage.DISQUALIFIED,
        RejectionReason.DUPLICATE: LifecycleStage.DISQUALIFIED,
        RejectionReason.NO_CONTACT_DATA: LifecycleStage.RECYCLED,
        RejectionReason.TOO_EARLY: LifecycleStage.RECYCLED,
    }
)

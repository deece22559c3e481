"""What is owed while no agreement is in force, and where a refused lead goes. Pure.

The figures are our choice: a company that has signed nothing is still measured, and the pages say
by what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from handoff.enums import ClockKind, DisqualifyReason, RecycleReason, RejectionReason
from leads.enums import LifecycleStage

DEFAULT_ATTEMPTS_OWED = 6
DEFAULT_BANT_YES_NEEDED = 4

#: After a refusal that sends the lead back to nurture, when it is looked at again.
WAKE_AFTER_REJECTION = timedelta(days=90)

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


@dataclass(frozen=True, slots=True)
class WayOut:
    """Where a refused lead goes, with the reason that the lifecycle keeps."""

    stage: LifecycleStage
    reason: RecycleReason | DisqualifyReason


#: What can change with time goes back to nurture, what will not goes out; both can be undone.
WAY_OUT: Mapping[RejectionReason, WayOut] = MappingProxyType(
    {
        RejectionReason.NOT_A_FIT: WayOut(LifecycleStage.DISQUALIFIED, DisqualifyReason.NOT_A_FIT),
        RejectionReason.COMPETITOR: WayOut(
            LifecycleStage.DISQUALIFIED, DisqualifyReason.COMPETITOR
        ),
        RejectionReason.DUPLICATE: WayOut(LifecycleStage.DISQUALIFIED, DisqualifyReason.DUPLICATE),
        RejectionReason.NO_CONTACT_DATA: WayOut(
            LifecycleStage.RECYCLED, RecycleReason.NO_CONTACT_DATA
        ),
        RejectionReason.TOO_EARLY: WayOut(LifecycleStage.RECYCLED, RecycleReason.TOO_EARLY),
    }
)

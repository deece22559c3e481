"""What counts as evidence that sales acted. Pure.

Every logged act with an outcome is a touch: a call that nobody answered was attempted, a
conversation or a booked meeting was connected. Whether it was in time is asked of the moment at
which it happened, provided that it was written down soon after.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from handoff.enums import TouchChannel, TouchOutcome

#: Written later than this after it happened, a touch is marked and stops no clock by itself. Our
#: choice: long enough for a conversation and its note, too short to tidy up the day before.
BACKDATED_AFTER = timedelta(minutes=15)

OUTCOMES: Mapping[TouchChannel, tuple[TouchOutcome, ...]] = MappingProxyType(
    {
        TouchChannel.CALL: (
            TouchOutcome.CONNECTED,
            TouchOutcome.NO_ANSWER,
            TouchOutcome.LEFT_MESSAGE,
            TouchOutcome.WRONG_NUMBER,
        ),
        TouchChannel.EMAIL: (TouchOutcome.SENT,),
        TouchChannel.MEETING: (TouchOutcome.BOOKED,),
    }
)
CONNECTED = frozenset({TouchOutcome.CONNECTED, TouchOutcome.BOOKED})


class EvidenceRefused(ValueError):
    """The act cannot have happened so; the message says what to do."""


def check_evidence(
    *,
    channel: TouchChannel,
    outcome: TouchOutcome,
    occurred_at: datetime,
    recorded_at: datetime,
    opened_at: datetime,
) -> None:
    """Return when the touch is believable for a handoff opened at ``opened_at``.

    Raises:
        EvidenceRefused: an outcome that the channel does not have, an act in the future, or one
            from before the lead was handed over.
    """
    if outcome not in OUTCOMES[channel]:
        offered = ", ".join(each.label for each in OUTCOMES[channel])
        raise EvidenceRefused(f"{channel.label} ends with one of: {offered}.")
    if occurred_at > recorded_at:
        raise EvidenceRefused("This lies in the future: log it once it has happened.")
    if occurred_at < opened_at:
        raise EvidenceRefused("This was before the lead was handed over: add it as a note.")


def is_backdated(*, occurred_at: datetime, recorded_at: datetime) -> bool:
    """Say whether the touch was written down too late to stop a clock by itself."""
    return recorded_at - occurred_at > BACKDATED_AFTER

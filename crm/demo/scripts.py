"""The live edge: what must be on everybody's first page, whenever Baton is tried. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from engagement.enums import EventKind
from handoff.business_hours import BusinessCalendar, open_windows


class Standing(Enum):
    """How far sales has come with a live handoff."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    WORKING = "working"
    WAITING = "waiting on the buyer"
    POOL = "in nobody's hands"


@dataclass(frozen=True, slots=True)
class Script:
    """One live handoff: how it stands, how long sales has had it (working time), what made it.

    ``ask`` is the buying act; without one the lead read its way into the definition. ``is_best``
    asks for a lead of grade A.
    """

    standing: Standing
    age: timedelta
    ask: EventKind | None = None
    is_best: bool = False


def _minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


#: For each rep one of each, newest tier of the agreement: asked 15 min, 30 min, 16 h to accept, to
#: touch, to a verdict; best cells 1 h, 2 h, 24 h; everybody else 2 h, 4 h, 40 h.
EACH_REP = (
    Script(Standing.OFFERED, _minutes(6), EventKind.CONSULTATION_REQUEST),
    Script(Standing.OFFERED, _minutes(99)),
    Script(Standing.ACCEPTED, _minutes(82), is_best=True),
    Script(Standing.ACCEPTED, _minutes(70)),
    Script(Standing.WORKING, _minutes(19 * 60), is_best=True),
    Script(Standing.WAITING, _minutes(11 * 60), EventKind.PRICING_REQUEST),
)
#: For each team one late answer and one late call, which the rotation gives to two reps.
EACH_TEAM = (
    Script(Standing.OFFERED, _minutes(24), EventKind.DEMO_REQUEST),
    Script(Standing.ACCEPTED, _minutes(126), is_best=True),
)
#: For one team, while both of its reps were away for a moment.
FOR_THE_POOL = (
    Script(Standing.POOL, _minutes(47)),
    Script(Standing.POOL, _minutes(20), is_best=True),
)


def worked_before(end: datetime, span: timedelta, calendar: BusinessCalendar) -> datetime:
    """Return the latest instant from which ``span`` of working time has passed until ``end``."""
    reach = timedelta(days=14)
    for window in reversed(list(open_windows(end - reach, end, calendar))):
        if window.end - window.start >= span:
            return window.end - span
        span -= window.end - window.start
    return end - reach

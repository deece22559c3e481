"""Open handoffs as managers see them: which are asked for, and how each stands. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from crm.common.ui.badges import SlaBadge
from handoff.badges import clock_badge
from handoff.models import Clock, ClockQuerySet, Handoff

#: The holder of what nobody holds, in an address.
UNASSIGNED = "pool"

#: How the next deadline of a handoff stands, by its name in an address.
STANDINGS = {"late": "Late", "at_risk": "At risk"}


@dataclass(frozen=True, slots=True)
class Line:
    """One open handoff as a table shows it."""

    handoff: Handoff
    badge: SlaBadge


@dataclass(frozen=True, slots=True)
class TeamQuestion:
    """Which open handoffs to show: of one team, of one rep or of nobody, late or at risk.

    ``holder`` is the number of a rep, or ``UNASSIGNED``.
    """

    team: int | None = None
    holder: str = ""
    clock: str = ""

    def query(self, **changes: Any) -> str:
        """Return the parameters of an address that asks this, with ``changes``."""
        asked = {**asdict(self), **changes}
        return urlencode({name: value for name, value in asked.items() if value})

    def clocks(self, now: datetime) -> ClockQuerySet:
        """Return the next deadline of each handoff that is asked for, with the handoff."""
        clocks = Clock.objects.next_due()
        if self.clock:
            clocks = clocks.overdue(now) if self.clock == "late" else clocks.at_risk(now)
        if self.team:
            clocks = clocks.filter(handoff__team=self.team)
        if self.holder == UNASSIGNED:
            clocks = clocks.filter(handoff__holder__isnull=True)
        elif self.holder:
            clocks = clocks.filter(handoff__holder=int(self.holder))
        return clocks.select_related("handoff__lead", "handoff__holder").prefetch_related(
            "handoff__team", "handoff__agreement", "handoff__calendar"
        )


def lines_of(clocks: Iterable[Clock], *, now: datetime) -> list[Line]:
    """Return the handoffs of ``clocks``, each with how its clock stands."""
    return [
        Line(clock.handoff, clock_badge(clock, clock.handoff.calendar.hours, now=now))
        for clock in clocks
    ]

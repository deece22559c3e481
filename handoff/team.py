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
        found = self._next_due()
        if self.clock:
            found = found.overdue(now) if self.clock == "late" else found.at_risk(now)
        return found.prefetch_related(
            "handoff__lead", "handoff__holder", "handoff__team", "handoff__agreement",
            "handoff__calendar",
        )  # fmt: skip

    def _next_due(self) -> ClockQuerySet:
        if self.holder not in ("", UNASSIGNED):
            theirs = Handoff.objects.open().filter(holder=int(self.holder))
            return Clock.objects.next_due_of(theirs.filter(team=self.team) if self.team else theirs)
        clocks = Clock.objects.next_due()
        if self.team:
            clocks = clocks.filter(handoff__team=self.team)
        return clocks.filter(handoff__holder__isnull=True) if self.holder else clocks


def lines_of(clocks: Iterable[Clock], *, now: datetime) -> list[Line]:
    """Return the handoffs of ``clocks``, each with how its clock stands."""
    return [
        Line(clock.handoff, clock_badge(clock, clock.handoff.calendar.hours, now=now))
        for clock in clocks
    ]

"""SLA at this moment: what is open, at risk and overdue, whatever the period of a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from crm.reports.standing import standing
from handoff.enums import ClockKind
from handoff.models import Clock

#: Nobody acts on the difference beyond it, and a million take long to count; our choice.
MOST_COUNTED = 5_000


class Live(StrEnum):
    """What is open at this moment, whatever the period of the page."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    OVERDUE = "overdue"


def live_clocks(kind: ClockKind, live: Live, *, now: datetime) -> QuerySet[Any]:
    """Return exactly the clocks that a figure of this moment counts, with their standing."""
    clocks = Clock.objects.filter(kind=kind).annotate(standing=standing(now))
    running = {
        Live.RUNNING: Clock.objects.running(),
        Live.AT_RISK: Clock.objects.at_risk(now),
        Live.OVERDUE: Clock.objects.overdue(now),
    }
    return clocks.filter(pk__in=running[live].values("pk"))


@dataclass(frozen=True)
class LiveFigures:
    """How things stand at this moment, whatever the period of the page; ``5,000+`` is the most."""

    running: str
    at_risk: str
    unaccepted: str
    overdue: str


def live_figures(kind: ClockKind, *, now: datetime) -> LiveFigures:
    """Return what is open at ``now``; at risk is past 75 % of the working time, not yet due."""
    running = Clock.objects.running()
    return LiveFigures(
        running=_figure(running.filter(kind=kind)),
        at_risk=_figure(Clock.objects.at_risk(now).filter(kind=kind)),
        unaccepted=_figure(running.filter(kind=ClockKind.ACCEPT)),
        overdue=_figure(Clock.objects.overdue(now).filter(kind=ClockKind.ACCEPT)),
    )


def _figure(clocks: QuerySet[Clock]) -> str:
    number = clocks.order_by("due_at", "id")[:MOST_COUNTED].count()
    return f"{number:,}{'+' if number == MOST_COUNTED else ''}"

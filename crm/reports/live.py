"""SLA at this moment: what is open, at risk and overdue, whatever the period of a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Count, QuerySet

from crm.reports.sla import standing
from handoff.enums import ClockKind
from handoff.models import Clock


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
    """How things stand at this moment, whatever the period of the page."""

    running: int
    at_risk: int
    unaccepted: int
    overdue: int


def live_figures(kind: ClockKind, *, now: datetime) -> LiveFigures:
    """Return what is open at ``now``; at risk is past 75 % of the working time, not yet due."""
    running = dict(Clock.objects.running().values_list("kind").annotate(Count("id")))
    return LiveFigures(
        running=running.get(kind, 0),
        at_risk=Clock.objects.at_risk(now).filter(kind=kind).count(),
        unaccepted=running.get(ClockKind.ACCEPT, 0),
        overdue=Clock.objects.overdue(now).filter(kind=ClockKind.ACCEPT).count(),
    )

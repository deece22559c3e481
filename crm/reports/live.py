"""SLA at this moment: what is open, at risk and overdue, whatever the period of a page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from crm.reports.standing import Scope, clocks_of_any_day
from handoff.enums import ClockKind

#: Nobody acts on the difference beyond it, and a million take long to count; our choice.
MOST_COUNTED = 2_000


class Live(StrEnum):
    """What is open at this moment, whatever the period of the page."""

    RUNNING = "running"
    AT_RISK = "at_risk"
    OVERDUE = "overdue"


def live_clocks(scope: Scope, live: Live, *, now: datetime) -> QuerySet[Any]:
    """Return exactly the clocks that a figure of this moment counts, with their standing."""
    clocks: Any = clocks_of_any_day(replace(scope, outcome=None, arrived=None), now=now)
    found: dict[Live, QuerySet[Any]] = {
        Live.RUNNING: clocks.running(),
        Live.AT_RISK: clocks.at_risk(now),
        Live.OVERDUE: clocks.overdue(now),
    }
    return found[live]


@dataclass(frozen=True)
class LiveFigures:
    """How things stand at this moment, whatever the period of the page; ``2,000+`` is the most."""

    running: str
    at_risk: str
    unaccepted: str
    overdue: str


def live_figures(scope: Scope, *, now: datetime) -> LiveFigures:
    """Return what is open at ``now``; at risk is past 75 % of the working time, not yet due."""
    accept = replace(scope, kind=ClockKind.ACCEPT)
    return LiveFigures(
        running=_figure(live_clocks(scope, Live.RUNNING, now=now)),
        at_risk=_figure(live_clocks(scope, Live.AT_RISK, now=now)),
        unaccepted=_figure(live_clocks(accept, Live.RUNNING, now=now)),
        overdue=_figure(live_clocks(accept, Live.OVERDUE, now=now)),
    )


def _figure(clocks: QuerySet[Any]) -> str:
    newest = clocks.order_by("-started_at", "-id")  # by the index in which few of those are others
    number = newest.values("pk")[:MOST_COUNTED].count()
    return f"{number:,}{'+' if number == MOST_COUNTED else ''}"

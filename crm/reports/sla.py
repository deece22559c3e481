"""SLA compliance row by row: the breach log, the lists behind the figures, and the CSV."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from crm.reports.standing import (
    MISSED,
    STANDING_LABELS,
    Sample,
    Scope,
    Standing,
    chosen_q,
    clocks,
)
from handoff.business_hours import working_time_between
from handoff.models import Clock, Excuse, Handoff
from handoff.split_clock import SplitClock
from handoff.splits import UNCOUNTABLE, split_clocks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClockLine:
    """One clock as the breach log shows it; spans are working time on the handoff's calendar.

    ``elapsed`` is None where it cannot be counted. ``split`` ends where the clock does.
    """

    clock: Clock
    standing: str
    elapsed: timedelta | None
    over_by: timedelta | None
    is_running: bool
    is_excused: bool = False
    tier: str = ""
    split: SplitClock | None = None
    excuse: Excuse | None = None


def counted(scope: Scope, chosen: Standing | Sample | None, *, now: datetime) -> QuerySet[Any]:
    """Return exactly the clocks that a figure counts; ``chosen`` None means all received."""
    found = clocks(scope, now=now)
    return found if chosen is None else found.filter(chosen_q(chosen))


def breach_log(scope: Scope, *, now: datetime, limit: int = 20) -> list[ClockLine]:
    """Return missed clocks, the newest handover first, with where their time went.

    Excused ones are among them and say so: they count apart, but they are breaches.
    """
    missed = for_lines(clocks(scope, now=now).filter(standing__in=MISSED))
    found = list(missed.order_by("-started_at", "-id")[:limit])
    ends = {clock.handoff_id: clock.ended_at or now for clock in found}
    splits = split_clocks(ends, now=now, ends=ends)
    asked = Excuse.objects.filter(clock__in=found).order_by("id")
    excuses = {excuse.clock_id: excuse for excuse in asked}
    return [
        replace(
            clock_line(clock, now=now),
            split=splits.get(clock.handoff_id),
            excuse=excuses.get(clock.pk),
        )
        for clock in found
    ]


def for_lines(clocks: QuerySet[Any]) -> QuerySet[Any]:
    """Return ``clocks`` with what their lines say, and without the wide rest of a handoff."""
    handoff = [f"handoff__{name}" for name in ("opened_at", "tier__name", "calendar")]
    lead = [f"handoff__lead__{name}" for name in ("first_name", "last_name", "email")]
    person = ["answerable__full_name", "answerable__email"]
    return clocks.select_related(
        "handoff__lead", "handoff__tier", "handoff__calendar", "handoff__imported", "answerable"
    ).only(
        "kind", "started_at", "due_at", "target", "stopped_at", "withdrawn_at",
        "excused_at", "handoff__imported__priority", *handoff, *lead, *person,
        "handoff__calendar__definition", "handoff__calendar__public_days",
    )  # fmt: skip


def clock_line(clock: Any, *, now: datetime) -> ClockLine:
    """Return one clock, annotated with its ``standing``, with its working time up to ``now``."""
    elapsed = _elapsed(clock, now)
    return ClockLine(
        clock=clock,
        standing=STANDING_LABELS[Standing(clock.standing)],
        elapsed=elapsed,
        over_by=elapsed - clock.target if elapsed and clock.standing in MISSED else None,
        is_running=clock.ended_at is None,
        is_excused=clock.standing == Standing.EXCUSED,
        tier=tier_label(clock.handoff),
    )


def _elapsed(clock: Clock, now: datetime) -> timedelta | None:
    try:
        return working_time_between(
            clock.started_at, clock.ended_at or now, clock.handoff.calendar.hours
        )
    except UNCOUNTABLE:
        logger.exception("Could not count the time of clock %s", clock.pk)
        return None


def counted_rows(
    scope: Scope, chosen: Standing | Sample | None, *, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """Yield one row per counted clock, as ``pages.SLA_HEADER`` names them."""
    return rows_of(counted(scope, chosen, now=now))


def rows_of(clocks: QuerySet[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield one row per clock, as ``pages.SLA_HEADER`` names them."""
    found = clocks.select_related(
        "handoff__lead", "handoff__tier", "handoff__team", "handoff__imported", "answerable"
    )
    for clock in found.order_by("started_at", "id").iterator(chunk_size=2000):
        handoff = clock.handoff
        yield (
            handoff.pk, handoff.lead_id, handoff.lead.display_name, clock.answerable or "",
            handoff.team or "", tier_label(handoff), handoff.lead.source, clock.kind,
            handoff.opened_at, clock.due_at, clock.stopped_at, _minutes(clock.target),
            _minutes(clock.elapsed), clock.standing,
        )  # fmt: skip


def tier_label(handoff: Handoff) -> str:
    """Return the tier of a handoff, or what another tool called it; empty under no agreement."""
    if handoff.tier is not None:
        return handoff.tier.name
    imported = getattr(handoff, "imported", None)
    return imported.priority if imported else ""


def _minutes(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() / 60, 1)

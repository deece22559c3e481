"""The page of one handoff: its deadlines with their arithmetic, who had it and why, the brief."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.http import AppRequest, render_page
from crm.common.ui.badges import SlaBadge
from handoff.badges import (
    Step,
    arithmetic,
    arithmetic_sentence,
    clock_badge,
    deadline_sentence,
)
from handoff.business_hours import BusinessCalendar
from handoff.definition import mql_cells
from handoff.enums import Approval, ClockKind, DecisionKind
from handoff.models import Clock, Excuse, Handoff
from handoff.services import may_excuse
from handoff.splits import holders_of, split_clocks
from leads.models import Lead


@dataclass(frozen=True, slots=True)
class Deadline:
    """One clock as the page shows it."""

    clock: Clock
    badge: SlaBadge
    sentence: str
    story: str
    steps: list[Step]
    excuse: Excuse | None
    may_excuse: bool
    answers: str


@login_required
@require_GET
def handoff(request: AppRequest, handoff_id: int) -> HttpResponse:
    """Show one handoff to those who may see it."""
    found = get_object_or_404(Handoff.objects.visible_to(request.user).for_display(), pk=handoff_id)
    now = timezone.now()
    holders = holders_of(found)
    deadlines = deadlines_of(found, request.user, now=now, is_shared=len(holders) > 1)
    context = {
        "handoff": found,
        "latest": holders[-1],
        "brief": found.readable_brief,
        "definition": mql_cells(),
        "deadlines": deadlines,
        **_split(found, deadlines, now=now),
        **_decided(found),
        "touches": found.touches.select_related("rep").order_by("-occurred_at", "-id"),
        "is_workable": found.is_workable_by(request.user),
        "sees_lead": Lead.objects.visible_to(request.user).filter(pk=found.lead_id).exists(),
        "is_manager": request.user.has_role(Role.MANAGER, Role.ADMIN),
    }
    return render_page(request, "handoff/handoff.html", context)


def _decided(found: Handoff) -> dict[str, Any]:
    """Return why it went where it went, and who moved its deadlines."""
    decided = list(found.decisions.order_by("decided_at", "id"))
    return {
        "decisions": [each for each in decided if each.kind == DecisionKind.HANDED],
        "rebased": [each for each in decided if each.kind == DecisionKind.REBASED],
    }


def deadlines_of(found: Handoff, viewer: User, *, now: datetime, is_shared: bool) -> list[Deadline]:
    """Return the clocks of ``found`` in the order in which they fall due, as ``viewer`` may act.

    ``is_shared``: several had it, so that of a missed one it is to be said who answers for it.
    """
    excuses = {each.clock_id: each for each in _excuses(found)}
    return [
        _deadline(
            clock,
            found.calendar.hours,
            excuses.get(clock.pk),
            viewer,
            now,
            answers=_who_answers(clock) if is_shared and clock.is_missed(now) else "",
        )
        for clock in found.clocks.select_related("answerable").order_by("due_at", "id")
    ]


def _who_answers(clock: Clock) -> str:
    if clock.answerable is None:
        return "Nobody who had it was at work for the most of its time, so nobody answers for it."
    return f"{clock.answerable} had the most of its time and answers for it."


def _excuses(found: Handoff) -> QuerySet[Excuse]:
    """Return all excuses that were asked for, the last one of a clock at the end."""
    asked = Excuse.objects.filter(clock__handoff=found).order_by("asked_at", "id")
    return asked.select_related("asked_by", "decided_by")


def _deadline(
    clock: Clock,
    hours: BusinessCalendar,
    excuse: Excuse | None,
    viewer: User,
    now: datetime,
    *,
    answers: str,
) -> Deadline:
    steps = arithmetic(clock, hours)
    stands = excuse is not None and excuse.approval != Approval.REFUSED
    return Deadline(
        clock=clock,
        badge=clock_badge(clock, hours, now=now),
        sentence=deadline_sentence(clock),
        story=arithmetic_sentence(clock, steps),
        steps=steps,
        excuse=excuse,
        may_excuse=not stands and may_excuse(clock, viewer, now=now),
        answers=answers,
    )


def _split(found: Handoff, deadlines: Sequence[Deadline], *, now: datetime) -> dict[str, Any]:
    """Return where the time up to the first touch went, and when that was due."""
    due = (each.clock.due_at for each in deadlines if each.clock.kind == ClockKind.FIRST_TOUCH)
    return {
        "split": split_clocks([found.pk], now=now)[found.pk],
        "due_at": next(due, None),
        "is_running": found.first_touch_at is None and found.is_open,
    }

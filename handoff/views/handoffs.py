"""The page of one handoff: its deadlines with their arithmetic, who had it and why, the brief."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.accounts.enums import Role
from crm.common.http import AppRequest, render_page
from crm.common.ui.badges import SlaBadge
from handoff.badges import Step, arithmetic, clock_badge, deadline_sentence
from handoff.definition import mql_cells
from handoff.models import Clock, Handoff
from leads.models import Lead


@dataclass(frozen=True, slots=True)
class Deadline:
    """One clock as the page shows it."""

    clock: Clock
    badge: SlaBadge
    sentence: str
    steps: list[Step]


@login_required
@require_GET
def handoff(request: AppRequest, handoff_id: int) -> HttpResponse:
    """Show one handoff to those who may see it."""
    found = get_object_or_404(Handoff.objects.visible_to(request.user).for_display(), pk=handoff_id)
    now = timezone.now()
    context = {
        "handoff": found,
        "brief": found.readable_brief,
        "definition": mql_cells(),
        "deadlines": deadlines_of(found, now=now),
        "decisions": found.decisions.order_by("decided_at", "id"),
        "holders": found.holders.select_related("holder").order_by("started_at", "id"),
        "touches": found.touches.select_related("rep").order_by("-occurred_at", "-id"),
        "is_workable": found.is_workable_by(request.user),
        "sees_lead": Lead.objects.visible_to(request.user).filter(pk=found.lead_id).exists(),
        "may_reassign": request.user.has_role(Role.MANAGER, Role.ADMIN),
    }
    return render_page(request, "handoff/handoff.html", context)


def deadlines_of(found: Handoff, *, now: datetime) -> list[Deadline]:
    """Return the clocks of ``found`` in the order in which they fall due."""
    calendar = found.calendar.hours
    return [
        Deadline(
            clock=clock,
            badge=clock_badge(clock, calendar, now=now),
            sentence=deadline_sentence(clock),
            steps=arithmetic(clock, calendar),
        )
        for clock in found.clocks.order_by("due_at", "id")
    ]

"""All open handoffs with their holders, for managers; the pool of a team, for its reps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam
from crm.common.http import AppRequest, render_page
from crm.common.paging import Page, keyset_page
from crm.common.ui.badges import SlaBadge
from handoff.badges import clock_badge
from handoff.board import load_board
from handoff.definition import mql_cells
from handoff.models import Clock, ClockQuerySet, Handoff
from handoff.views.answering import row_asked_for

_ORDER = ("due_at", "id")
_UNASSIGNED = "pool"


@dataclass(frozen=True, slots=True)
class Line:
    """One open handoff as the table shows it."""

    handoff: Handoff
    badge: SlaBadge


@role_required(Role.MANAGER, Role.ADMIN)
@require_GET
def team(request: AppRequest) -> HttpResponse:
    """Show who holds what, the most urgent first; of one team or of the pools when asked."""
    clocks = Clock.objects.next_due()
    wanted = row_asked_for(request.GET, "team")
    if wanted:
        clocks = clocks.filter(handoff__team=wanted)
    if request.GET.get("holder") == _UNASSIGNED:
        clocks = clocks.filter(handoff__holder__isnull=True)
    elif holder := row_asked_for(request.GET, "holder"):
        clocks = clocks.filter(handoff__holder=holder)
    context = _table(request, clocks)
    context |= {"teams": SalesTeam.objects.order_by("name"), "team": wanted}
    return render_page(request, "handoff/team.html", context)


@role_required(Role.MANAGER, Role.ADMIN)
@require_GET
def board(request: AppRequest) -> HttpResponse:
    """Show one team side by side, to move work from one to another."""
    teams = SalesTeam.objects.order_by("name")
    wanted = row_asked_for(request.GET, "team") or request.user.sales_team_id or 0
    team = teams.filter(pk=wanted).first() or teams.first()
    context = {
        "teams": teams,
        "team": team,
        "columns": load_board(team, now=timezone.now()) if team else [],
    }
    return render_page(request, "handoff/board.html", context)


@role_required(Role.REP)
@require_GET
def pool(request: AppRequest) -> HttpResponse:
    """Show what nobody in the own team holds yet."""
    clocks = Clock.objects.next_due().filter(handoff__in=Handoff.objects.in_pool_of(request.user))
    return render_page(request, "handoff/pool.html", _table(request, clocks))


def _table(request: AppRequest, clocks: ClockQuerySet) -> dict[str, Any]:
    now = timezone.now()
    found = clocks.select_related("handoff__lead", "handoff__holder").prefetch_related(
        "handoff__team", "handoff__agreement", "handoff__calendar"
    )
    page = keyset_page(found, ordering=_ORDER, cursor=request.GET.get("cursor"))
    return {
        "lines": _lines(page, now),
        "page": page,
        "now": now,
        "definition": mql_cells(),
        "is_unassigned": request.GET.get("holder") == _UNASSIGNED,
    }


def _lines(page: Page[Clock], now: datetime) -> list[Line]:
    return [
        Line(clock.handoff, clock_badge(clock, clock.handoff.calendar.hours, now=now))
        for clock in page.items
    ]

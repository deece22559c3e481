"""All open handoffs with their holders, for managers; the pool of a team, for its reps."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam
from crm.common.http import AppRequest, render_page
from crm.common.paging import keyset_page
from handoff.board import load_board
from handoff.definition import mql_cells
from handoff.models import ClockQuerySet, Handoff
from handoff.services.approvals import DECIDERS
from handoff.team import STANDINGS, UNASSIGNED, TeamQuestion, lines_of
from handoff.views.answering import row_asked_for

_ORDER = ("due_at", "id")
_LATEST_FIRST = ("-closed_at", "-id")


@role_required(Role.MANAGER, Role.ADMIN)
@require_GET
def team(request: AppRequest) -> HttpResponse:
    """Show who holds what, the most urgent first; only a part of it when the address asks."""
    asked = _question(request.GET)
    context = _table(request, asked.clocks(timezone.now()))
    context |= {
        "keep": asked.query(),
        "teams": _choices(
            asked, "team", SalesTeam.objects.order_by("name").values_list("pk", "name")
        ),
        "standings": _choices(asked, "clock", STANDINGS.items()),
        "all_held": asked.query(holder=""),
        "pool": asked.query(holder=UNASSIGNED),
        "is_unassigned": asked.holder == UNASSIGNED,
    }
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
    in_pool = Handoff.objects.in_pool_of(request.user)
    clocks = TeamQuestion().clocks(timezone.now()).filter(handoff__in=in_pool)
    return render_page(request, "handoff/pool.html", _table(request, clocks))


@role_required(Role.MARKETER, *DECIDERS)
@require_GET
def refused(request: AppRequest) -> HttpResponse:
    """List what sales refused of late, with the reasons."""
    now = timezone.now()
    found = Handoff.objects.refused(now).select_related("lead", "holder").defer("brief")
    page = keyset_page(found, ordering=_LATEST_FIRST, cursor=request.GET.get("cursor"))
    return render_page(request, "handoff/refused.html", {"page": page, "now": now})


def _question(parameters: QueryDict) -> TeamQuestion:
    """Return what an address asks; what it misspells narrows nothing."""
    holder, clock = row_asked_for(parameters, "holder"), parameters.get("clock", "")
    is_pool = parameters.get("holder") == UNASSIGNED
    return TeamQuestion(
        team=row_asked_for(parameters, "team"),
        holder=UNASSIGNED if is_pool else str(holder or ""),
        clock=clock if clock in STANDINGS else "",
    )


def _choices(asked: TeamQuestion, name: str, offered: Any) -> list[dict[str, Any]]:
    """Return all of it, and each part on offer, as links that keep the rest of the question."""
    chosen = getattr(asked, name)
    return [
        {
            "label": label,
            "query": asked.query(**{name: value}),
            "is_chosen": (value or None) == (chosen or None),
        }
        for value, label in [(None, "All"), *offered]
    ]


def _table(request: AppRequest, clocks: ClockQuerySet) -> dict[str, Any]:
    now = timezone.now()
    page = keyset_page(clocks, ordering=_ORDER, cursor=request.GET.get("cursor"))
    return {
        "lines": lines_of(page.items, now=now),
        "page": page,
        "now": now,
        "definition": mql_cells(),
    }

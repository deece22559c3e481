"""Events that machines caused, and saying who did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from crm.accounts.access import AppRequest, role_required
from crm.common.http import render_page, wants_partial
from engagement.enums import Actor, ActorRule
from engagement.history import DECIDERS, entry_of
from engagement.machine_list import DECIDED, Asked, loaded_event, machine_rows, rows_of
from engagement.models import Event
from engagement.services import NoSuchEvent, decide_actor, withdraw_decision
from leads.timeline import line

#: In the order of the page: machines, then those of whom nobody can tell.
_RULES = [("", "All machines"), *ActorRule.choices, (DECIDED, "Decided by people")]


@role_required(*DECIDERS)
@require_GET
def tracking(_request: AppRequest) -> HttpResponse:
    """Lead to the first of the tracking pages; the side bar points here."""
    return redirect("engagement:sources")


@role_required(*DECIDERS)
@require_GET
def machine_events(request: AppRequest) -> HttpResponse:
    """List what machines did, and why we think that they did."""
    asked = Asked.read(request.GET)
    page = machine_rows(asked, cursor=request.GET.get("cursor"), now=timezone.now())
    context = {
        "asked": asked,
        "page": page,
        "rows": rows_of(page.items),
        "rules": _RULES,
        "query": urlencode({"rule": asked.rule, "period": asked.period}),
    }
    return render_page(request, "engagement/machine_events.html", context)


@role_required(*DECIDERS)
@require_POST
def event_actor(request: AppRequest, event_id: UUID) -> HttpResponse:
    """Say who caused an event, or take that back; answers with the line or row it stands on."""
    try:
        event = _said(request, event_id)
    except NoSuchEvent:
        raise Http404 from None
    if not wants_partial(request):
        return _page_of(event)
    template, context = _place(request, loaded_event(event))
    return render(request, template, context)


def _page_of(event: Event) -> HttpResponse:
    if event.lead_id:
        return redirect("leads:detail", event.lead_id)
    return redirect("engagement:machine_events")


def _said(request: AppRequest, event_id: UUID) -> Event:
    now, said = timezone.now(), request.POST.get("actor", "")
    if said in {Actor.HUMAN, Actor.MACHINE}:
        return decide_actor(event_id=event_id, actor=Actor(said), decided_by=request.user, now=now)
    return withdraw_decision(event_id=event_id, now=now)


def _place(request: AppRequest, event: Event) -> tuple[str, dict[str, Any]]:
    """Return the partial that the event stands on, with its context."""
    (row,) = rows_of([event])
    if request.GET.get("on") != "timeline":
        return "engagement/_machine_row.html", {"row": row}
    entry = entry_of(event, viewer=request.user, is_decided=row.is_decided)
    item = line(entry, zone=timezone.get_current_timezone())
    return "ui/_timeline_item.html", {"item": item}

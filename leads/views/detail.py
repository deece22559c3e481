"""The lead page: who it is, what happened, and what upper floors have to say about it."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.http import AppRequest, wants_partial, way_back
from crm.common.instants import instant_problem
from crm.common.paging import neighbours, place_of
from crm.common.plans import plan_of
from crm.common.prepared import QueryOfViewer
from crm.common.slots import TIMELINE_KINDS, lead_panels, timeline_gains
from crm.common.ui.words import signed_tenths
from leads.enums import LifecycleStage
from leads.fact_lines import known_of
from leads.forms import NoteForm, StageForm
from leads.gains import read_names, share_out
from leads.hints import hint_for
from leads.lifecycle import moves_by_hand, overrides
from leads.list_address import read_address
from leads.models import Lead
from leads.timeline_reading import Timeline, TimelineQuestion, read_timeline

#: Whoever else moves a lead does so by answering its handoff.
STAGE_ROLES = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
#: Who closes deals.
DEAL_ROLES = (Role.REP, Role.MANAGER, Role.ADMIN)
OVERRIDE_ROLES = (Role.MANAGER, Role.ADMIN)

_LEAD = QueryOfViewer(
    lambda viewer, pk: (
        Lead.objects.visible_to(viewer).filter(pk=pk).select_related("company", "owner", "team")
    )
)

_LONGEST_LIST_QUERY = 2000
_LONGEST_WORDS = 100  # of a search in the timeline


@login_required
@require_GET
def lead_detail(request: AppRequest, lead_id: int) -> HttpResponse:
    """Show one lead to those who may see it; of a merged one the lead that it is by now."""
    try:
        lead = find_lead(request, lead_id)
    except Http404:
        return _open_survivor(request, lead_id)
    return show_lead(request, lead)


@login_required
@require_GET
def lead_timeline(request: AppRequest, lead_id: int) -> HttpResponse:
    """Answer htmx with the timeline of a filter, or with what is older than a moment."""
    lead = find_lead(request, lead_id)
    timeline = timeline_of(request, lead)
    template = "leads/_timeline_days.html" if timeline.continues else "leads/_timeline.html"
    return render(request, template, {"lead": lead, "timeline": timeline})


@login_required
@require_GET
def lead_gains(request: AppRequest, lead_id: int) -> HttpResponse:
    """Answer htmx with what the acts of some lines of the timeline added to the score."""
    lead, lines = find_lead(request, lead_id), read_names(request.GET.getlist("line"))
    moments = sorted({moment for moments in lines.values() for moment in moments})
    earned: dict[datetime, Decimal] = {}
    for source in timeline_gains:
        earned |= source.load(lead.pk, moments, timezone.now())
    gains = [(name, signed_tenths(points)) for name, points in share_out(lines, earned).items()]
    rules = " and ".join(source.rules() for source in timeline_gains) if gains else ""
    return render(request, "leads/_timeline_gains.html", {"gains": gains, "rules": rules})


def find_lead(request: AppRequest, lead_id: int) -> Lead:
    """Return the lead if the person may see it, else answer that there is no such page."""
    found = _LEAD.ask(request.user, lead_id)
    if not found:
        raise Http404
    return found[0]


def _open_survivor(request: AppRequest, lead_id: int) -> HttpResponse:
    visible = Lead.objects.visible_to(request.user)
    merged = Lead.objects.filter(merged_into__in=visible).select_related("merged_into")
    lead = get_object_or_404(merged, pk=lead_id)
    messages.info(
        request, f"{lead} was merged into this lead. The timeline tells when and by whom."
    )
    return redirect("leads:detail", lead.merged_into_id)


def show_lead(
    request: AppRequest, lead: Lead, *, note_form: NoteForm | None = None, status: int = 200
) -> HttpResponse:
    """Render the page of ``lead``, with a refused note when there is one."""
    now, here = timezone.now(), here_of(request, lead)
    context = {
        "lead": lead,
        "here": here,
        "stage_label": f"{lead.get_stage_display()}, cycle {lead.cycle}",
        "panels": _panels(request, lead, here, now=now),
        **known_of(lead, viewer=request.user),
        "timeline": timeline_of(request, lead),
        "note_form": note_form or NoteForm(),
        "moves": moves_of(request.user, lead),
        "may_close": lead.stage == LifecycleStage.SQL and request.user.has_role(*DEAL_ROLES),
        **_way(request, lead, now=now),
    }
    return render(request, "leads/lead_detail.html", context, status=status)


def timeline_of(request: AppRequest, lead: Lead) -> Timeline:
    """Return the stretch of the timeline that the address asks for."""
    kind, words = request.GET.get("kind", ""), request.GET.get("q", "")
    asked = TimelineQuestion(
        kind if kind in TIMELINE_KINDS else "",
        words.strip()[:_LONGEST_WORDS],
        _asked_moment(request),
    )
    return read_timeline(lead, asked, viewer=request.user)


def stage_form(request: AppRequest, lead: Lead) -> StageForm | None:
    """Return the form of the moves that the person may make; None when there is none."""
    if not moves_of(request.user, lead):
        return None
    return StageForm(
        request.POST if request.method == "POST" else None,
        stage=LifecycleStage(lead.stage),
        may_override=request.user.has_role(*OVERRIDE_ROLES),
        today=timezone.localdate(),
    )


def moves_of(user: User, lead: Lead) -> list[LifecycleStage]:
    """Return the stages that ``user`` may move a lead to by hand, overrides included."""
    if not user.has_role(*STAGE_ROLES):
        return []
    stage = LifecycleStage(lead.stage)
    return [*moves_by_hand(stage), *(overrides(stage) if user.has_role(*OVERRIDE_ROLES) else [])]


def _asked_moment(request: HttpRequest) -> datetime | None:
    """Return ``before`` of the address in UTC; None when it is no moment a lead can have lived."""
    try:
        moment = datetime.fromisoformat(request.GET.get("before", ""))
    except ValueError:
        return None
    is_sane = moment.tzinfo is not None and not instant_problem(moment)
    return moment.astimezone(UTC) if is_sane else None


def _way(request: AppRequest, lead: Lead, *, now: datetime) -> dict[str, Any]:
    """Return the way back to the list the person came from, and to the leads beside this one."""
    query = list_query_of(request)
    url = reverse("leads:list")
    if not query:
        return {"back_url": url}
    address = read_address(QueryDict(query), user=request.user)
    listed = address.leads(viewer=request.user, now=now)
    ordering, place = address.sort.ordering, request.GET.get("at", "")
    hint = hint_for(address, listed, plan_of(listed), viewer=request.user, now=now)
    before, after = neighbours(listed, ordering=ordering, row=lead, place=place, hint=hint)
    return {
        "back_url": f"{url}?{query}",
        "list_query": query,
        "list_label": address.view.label,
        "previous": before,
        "previous_place": place_of(before, ordering=ordering) if before else "",
        "next": after,
        "next_place": place_of(after, ordering=ordering) if after else "",
    }


def list_query_of(request: AppRequest) -> str:
    """Return the query of the list that the person came from; it is theirs, its path ours."""
    asked = (request.POST.get("from") or request.GET.get("from", ""))[:_LONGEST_LIST_QUERY]
    return urlencode(parse_qsl(asked, keep_blank_values=True))


def here_of(request: AppRequest, lead: Lead) -> str:
    """Return the address of the page of ``lead`` with its place in the list, for forms to return.

    A part of the page is asked for from there; a refused note brings it along.
    """
    plain = reverse("leads:detail", args=[lead.pk])
    if wants_partial(request):
        return request.htmx.current_url_abs_path or plain
    return request.get_full_path() if request.method == "GET" else way_back(request, plain)


def _panels(
    request: AppRequest, lead: Lead, here: str, *, now: datetime
) -> dict[str, list[SafeString]]:
    """Return what each registered panel shows of ``lead``, by its place on the page."""
    places: dict[str, list[SafeString]] = defaultdict(list)
    shared = {"lead": lead, "viewer": request.user, "here": here, "now": now}
    loads = dict.fromkeys(panel.load for panel in lead_panels)
    loaded = {load: load(lead, request.user, now) for load in loads}
    for panel in lead_panels:
        context = loaded[panel.load]
        if context is None:
            continue
        block = render_to_string(panel.template, {**shared, **context}, request)
        if block.strip():
            places[panel.place].append(block)
    return dict(places)

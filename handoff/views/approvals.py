"""Missed deadlines and what is asked for them: excuses, late evidence, a manager's decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.http import AppRequest, render_page
from crm.common.paging import keyset_page
from crm.common.ui.badges import SlaBadge
from handoff import services
from handoff.badges import clock_badge
from handoff.enums import Approval, ClockKind
from handoff.forms import DecideForm, ExcuseForm
from handoff.models import Clock, Excuse, Touch
from handoff.services.approvals import DECIDERS

_OF_LEAD = "handoff__lead"
_FIRST_TOUCHES = Prefetch(
    "handoff__clocks", Clock.objects.filter(kind=ClockKind.FIRST_TOUCH), to_attr="first_touches"
)
#: Of each kind on the page; deciding on one makes room for the next.
MOST_SHOWN = 100


@role_required(*DECIDERS)
@require_GET
def to_approve(request: AppRequest) -> HttpResponse:
    """List what waits for a manager, the longest waiting first."""
    context = {
        "excuses": _asked(timezone.now()),
        "touches": _written_late(),
        "most": MOST_SHOWN,
    }
    return render_page(request, "handoff/to_approve.html", context)


def _asked(now: datetime) -> list[tuple[Excuse, SlaBadge]]:
    """Return the excuses that wait, each with how late its clock is."""
    waiting = Excuse.objects.filter(approval=Approval.PENDING).order_by("asked_at", "id")
    found = waiting.select_related(f"clock__{_OF_LEAD}", "asked_by").defer("clock__handoff__brief")
    return [
        (each, clock_badge(each.clock, each.clock.handoff.calendar.hours, now=now))
        for each in found.prefetch_related("clock__handoff__calendar")[:MOST_SHOWN]
    ]


def _written_late() -> list[tuple[Touch, str]]:
    """Return the touches that wait, each with what it changes."""
    waiting = Touch.objects.filter(approval=Approval.PENDING).order_by("recorded_at", "id")
    found = waiting.select_related(_OF_LEAD, "rep").defer("handoff__brief")
    return [(each, _proves(each)) for each in found.prefetch_related(_FIRST_TOUCHES)[:MOST_SHOWN]]


def _proves(touch: Any) -> str:
    """Say what a touch changes if it counts; its handoff has its clock of the first touch."""
    for clock in touch.handoff.first_touches:
        if clock.ended_at is None or touch.occurred_at < clock.ended_at:
            due_at = timezone.localtime(clock.due_at)
            verdict = "in time" if touch.occurred_at <= clock.due_at else "late all the same"
            return f"Touch was due {due_at:%a} {due_at.day} {due_at:%b %H:%M}: {verdict}."
    return "It changes no deadline."


@role_required(*DECIDERS)
@require_POST
def decide_excuse(request: AppRequest, excuse_id: int) -> HttpResponse:
    """Grant or refuse an excuse."""
    get_object_or_404(Excuse, pk=excuse_id)
    return _decide(request, services.decide_excuse, "excuse_id", excuse_id)


@role_required(*DECIDERS)
@require_POST
def decide_touch(request: AppRequest, touch_id: int) -> HttpResponse:
    """Let late evidence count, or not."""
    get_object_or_404(Touch, pk=touch_id)
    return _decide(request, services.decide_touch, "touch_id", touch_id)


def _decide(request: AppRequest, service: Any, name: str, pk: int) -> HttpResponse:
    form = DecideForm(request.POST)
    if form.is_valid():
        decided = {name: pk, "grant": form.cleaned_data["grant"] == "yes"}
        try:
            service(**decided, decider=request.user, now=timezone.now())
        except services.DecisionRefused as problem:
            messages.warning(request, str(problem))
    return redirect("handoff:to_approve")


@role_required(Role.REP)
@require_GET
def missed(request: AppRequest) -> HttpResponse:
    """List a rep's own missed deadlines, the latest first, with what became of each."""
    now = timezone.now()
    excuses = Prefetch("excuses", Excuse.objects.order_by("-asked_at"))
    clocks = Clock.objects.missed(now).filter(answerable=request.user)
    found = clocks.select_related("handoff__lead").prefetch_related("handoff__calendar", excuses)
    page = keyset_page(found, ordering=("-due_at", "-id"), cursor=request.GET.get("cursor"))
    lines = [
        {"clock": clock, "badge": clock_badge(clock, clock.handoff.calendar.hours, now=now)}
        for clock in page.items
    ]
    return render_page(request, "handoff/missed.html", {"lines": lines, "page": page})


@login_required
@require_http_methods(["GET", "POST"])
def excuse(request: AppRequest, clock_id: int) -> HttpResponse:
    """Ask to be excused for a missed deadline."""
    now = timezone.now()
    clock = _excusable(request, clock_id, now)
    form = ExcuseForm(clock, now, request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked = {**form.cleaned_data, "clock_id": clock.pk, "asker": request.user, "now": now}
        try:
            services.ask_excuse(**asked)
        except services.ExcuseRefused as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "A manager will decide on your excuse.")
            return redirect(_back(request))
    context = {"clock": clock, "form": form, "back": _back(request)}
    status = 422 if form.is_bound else 200
    return render_page(request, "handoff/excuse.html", context, status=status)


def _excusable(request: AppRequest, clock_id: int, now: datetime) -> Clock:
    """Return a missed clock for which the person may ask; any other does not exist for them."""
    known = Q() if request.user.has_role(*DECIDERS) else Q(answerable=request.user)
    found = Clock.objects.filter(known).select_related("handoff__lead", "handoff__calendar")
    clock = get_object_or_404(found, pk=clock_id)
    if not services.may_excuse(clock, request.user, now=now):
        raise Http404
    return clock


def _back(request: AppRequest) -> str:
    """Return the page on which the person sees what became of it."""
    return "handoff:missed" if request.user.has_role(Role.REP) else "handoff:to_approve"

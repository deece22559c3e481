"""Leads that newly meet the definition: the list, its file, waves and the rate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, F, Prefetch, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from crm.accounts.models import User
from crm.common.csv import csv_file
from crm.common.http import AppRequest
from crm.common.once import act_once, form_key
from crm.common.paging import estimate_count, keyset_page, ordered
from scoring import services
from scoring.access import EDITOR_ROLES, may_edit_model, may_read_model
from scoring.forms import RateForm, WaveForm
from scoring.models import ReleaseWave, WaveLead
from scoring.services.releasing import ORDER

_WAVES_SHOWN = 5
_NAMES_SHOWN = 20  # of those left out of a wave
_HEADER = (
    "E-mail", "Name", "Company", "Grade cell", "Fit", "Engagement", "Fast track", "Stage", "Since"
)  # fmt: skip


@may_read_model
@require_GET
def releases(request: AppRequest) -> HttpResponse:
    """Show who waits to be released, the best first, and what became of the latest waves."""
    return _page(request)


@may_read_model
@require_GET
def releases_export(request: AppRequest) -> HttpResponseBase:
    """Send the same leads as CSV."""
    name = f"leads-to-release-{timezone.localdate()}.csv"
    return csv_file(name, _HEADER, _lines(request.user, timezone.now()))


@may_edit_model
@require_POST
def release(request: AppRequest) -> HttpResponse:
    """Order the release of the ticked leads, or of the next so many."""
    form = WaveForm(request.POST)
    if not form.is_valid():
        return _page(request, wave_form=form, status=422)
    now, order = timezone.now(), {**form.order, "actor": request.user}
    try:
        act_once(services.order_wave, form_key(request), now=now, **order)
    except services.NothingToRelease as refusal:
        messages.warning(request, str(refusal))
    return redirect("scoring:releases")


@may_edit_model
@require_POST
def release_rate(request: AppRequest) -> HttpResponse:
    """Start, change or stop the release of so many leads on each working day."""
    if "stop" in request.POST:
        services.stop_plan(now=timezone.now())
        return redirect("scoring:releases")
    form = RateForm(request.POST)
    if not form.is_valid():
        return _page(request, rate_form=form, status=422)
    now, order = timezone.now(), {**form.cleaned_data, "actor": request.user}
    try:
        act_once(services.start_plan, form_key(request), now=now, **order)
    except services.PlanRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect("scoring:releases")


@may_read_model
@require_GET
def rescore_progress(request: AppRequest) -> HttpResponse:
    """Say how far the renewal of all scores is; what comes when it is done asks no more."""
    context = {"progress": services.renewal_progress(), "was_running": True}
    return render(request, "scoring/_rescore_progress.html", context)


def _page(request: AppRequest, *, status: int = 200, **forms: Any) -> HttpResponse:
    waiting = services.waiting_leads(now=timezone.now()).visible_to(request.user)
    listed, cursor = waiting.select_related("score", "raised_hand"), request.GET.get("cursor")
    page = keyset_page(listed, ordering=ORDER, cursor=cursor)
    model = services.published_model()
    context = {
        "page": page,
        "count": estimate_count(waiting),
        "waves": _waves(),
        "plan": services.running_plan(),
        "model": model,
        "definition": services.definition_of(model).cells if model else frozenset(),
        "progress": services.renewal_progress(),
        "may_release": request.user.has_role(*EDITOR_ROLES),
        "wave_form": WaveForm(),
        "rate_form": RateForm(),
        **forms,
    }
    return render(request, "scoring/releases.html", context, status=status)


def _waves() -> list[ReleaseWave]:
    """Return the latest waves with the number of leads by what became of them, and who is out."""
    latest = ReleaseWave.objects.order_by("-id").values_list("pk", flat=True)[:_WAVES_SHOWN]
    waves = ReleaseWave.objects.filter(pk__in=list(latest)).annotate(
        named=Count("leads"),
        released=Count("leads", filter=Q(leads__released_at__isnull=False)),
        left_out=Count("leads", filter=~Q(leads__left_out="")),
        not_named=F("left_out") - _NAMES_SHOWN,
    )
    left_out = WaveLead.objects.exclude(left_out="").select_related("lead").order_by("id")
    names = Prefetch("leads", queryset=left_out[:_NAMES_SHOWN], to_attr="those_left_out")
    people = waves.select_related("model", "plan", "ordered_by").defer("model__definition")
    return list(people.order_by("-id").prefetch_related(names))


def _lines(viewer: User, now: datetime) -> Iterator[tuple[Any, ...]]:
    waiting = services.waiting_leads(now=now).visible_to(viewer)
    listed = ordered(waiting.select_related("score", "raised_hand"), ORDER)
    for lead in listed.iterator(chunk_size=1_000):
        score, hand = lead.score, getattr(lead, "raised_hand", None)
        yield (
            lead.email, lead.display_name, lead.company_name, score.cell, score.fit_score,
            score.engagement_score, hand.get_kind_display() if hand else "",
            lead.get_stage_display(), lead.stage_since,
        )  # fmt: skip

"""Leads that newly meet the definition: the list, its file, waves and the rate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import models
from django.db.models import F, Prefetch, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from crm.accounts.models import User
from crm.common.csv import csv_file
from crm.common.http import AppRequest
from crm.common.once import act_once, form_key
from crm.common.paging import Count, estimate_count, merged, merged_page
from leads.models.lead import LeadQuerySet
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
    waiting, model = _waiting(request.user, timezone.now()), services.published_model()
    context = {
        "page": merged_page(waiting, ordering=ORDER, cursor=request.GET.get("cursor")),
        "count": sum(map(estimate_count, waiting), Count(0, is_estimate=False)),
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


def _waiting(viewer: User, now: datetime) -> list[LeadQuerySet]:
    parts = services.waiting_leads(now=now)
    return [part.visible_to(viewer).select_related("score", "raised_hand") for part in parts]


def _waves() -> list[ReleaseWave]:
    """Return the latest waves with the number of leads by what became of them, and who is out."""
    latest = ReleaseWave.objects.order_by("-id").values_list("pk", flat=True)[:_WAVES_SHOWN]
    waves = ReleaseWave.objects.filter(pk__in=list(latest)).annotate(
        named=models.Count("leads"),
        released=models.Count("leads", filter=Q(leads__released_at__isnull=False)),
        left_out=models.Count("leads", filter=~Q(leads__left_out="")),
        not_named=F("left_out") - _NAMES_SHOWN,
    )
    left_out = WaveLead.objects.exclude(left_out="").select_related("lead").order_by("id")
    names = Prefetch("leads", queryset=left_out[:_NAMES_SHOWN], to_attr="those_left_out")
    people = waves.select_related("model", "plan", "ordered_by").defer("model__definition")
    return list(people.order_by("-id").prefetch_related(names))


def _lines(viewer: User, now: datetime) -> Iterator[tuple[Any, ...]]:
    for lead in merged(_waiting(viewer, now), ORDER):
        score, hand = lead.score, getattr(lead, "raised_hand", None)
        yield (
            lead.email, lead.display_name, lead.company_name, score.cell, score.fit_score,
            score.engagement_score, hand.get_kind_display() if hand else "",
            lead.get_stage_display(), lead.stage_since,
        )  # fmt: skip

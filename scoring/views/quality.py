"""Rule quality: how well each rule tells leads apart, what to try, why sales refused."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from crm.common.csv import csv_file
from crm.common.http import AppRequest
from crm.common.once import act_once, form_key
from scoring import services
from scoring.access import EDITOR_ROLES, may_edit_model, may_read_model
from scoring.models import QualityReport, ScoringModel
from scoring.quality import page
from scoring.services.suggesting import SuggestionGone, start_suggested_draft

DEFAULT_SORT = "verdict"


def _sort(request: AppRequest) -> str:
    """Return the order that is asked for, the default where it is none that there is."""
    asked = request.GET.get("sort", DEFAULT_SORT)
    return asked if asked in page.SORTS else DEFAULT_SORT


@may_read_model
@require_GET
def quality(request: AppRequest) -> HttpResponse:
    """Show what was measured last of the model in force."""
    model = services.published_model()
    report = services.latest_report(model) if model else None
    sort = _sort(request)
    context = {
        "model": model,
        "report": report,
        "waiting": QualityReport.objects.waiting().filter(model=model).first(),
        "failed": QualityReport.objects.filter(model=model).failed_since(report).first(),
        "may_edit": request.user.has_role(*EDITOR_ROLES),
        "sort": sort,
        **(page.shown(report, sort) if report else {}),
    }
    return render(request, "scoring/quality.html", context)


@may_read_model
@require_GET
def quality_csv(request: AppRequest) -> HttpResponse | StreamingHttpResponse:
    """Send the rows of the table in its order; a header only before anything was measured."""
    model = services.published_model()
    report = services.latest_report(model) if model else None
    rows = page.rule_rows(report, _sort(request)) if report else []
    return csv_file("rule-quality.csv", page.CSV_HEADER, page.csv_rows(rows))


@may_edit_model
@require_POST
def quality_measure(request: AppRequest) -> HttpResponse:
    """Ask for the model in force to be measured anew, in the background."""
    model = services.published_model()
    if model:
        services.request_measuring(model_id=model.pk, now=timezone.now(), actor=request.user)
        messages.info(request, "Rules are being measured. This takes up to a few minutes.")
    return redirect("scoring:quality")


@may_edit_model
@require_POST
def quality_draft(request: AppRequest, report_id: int, number: int) -> HttpResponse:
    """Open a draft with one suggestion in it."""
    said = {"report_id": report_id, "number": number, "actor": request.user}
    try:
        made = act_once(start_suggested_draft, form_key(request), now=timezone.now(), **said)
    except SuggestionGone as gone:
        messages.warning(request, str(gone))
        return redirect("scoring:quality")
    return redirect("scoring:version", ScoringModel.objects.get(pk=made).version)

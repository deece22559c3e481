"""The back-test of a draft: ask for it, watch it, read what it found, take its rows along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from crm.common.csv import csv_file
from crm.common.http import AppRequest
from crm.common.paging import keyset_page
from scoring import services
from scoring.access import EDITOR_ROLES, may_edit_model, may_read_model
from scoring.definition import DefinitionInvalid
from scoring.enums import BackTestChange
from scoring.models import BackTest, BackTestCycle, ScoringModel
from scoring.outcomes import refusal_labels
from scoring.services import back_test_card

_CSV_HEADER = (
    "lead", "name", "cycle", "change", "began at", "MQL in fact", "SQL", "won", "given back",
    "reason", "MQL by draft", "by", "engagement", "MQL by model in force", "by", "engagement",
)  # fmt: skip


@may_read_model
@require_GET
def back_test(request: AppRequest, version: int) -> HttpResponse:
    """Show what a back-test found; to its card the card, which asks again while it runs.

    When it is over the page is told, for what else stands there of that revision.
    """
    model = get_object_or_404(ScoringModel, version=version)
    context = {**_card(request, model), "now": timezone.now()}
    is_card = request.htmx.target == "back-test"
    if not is_card and (done := context["done"]):
        context |= _findings(request, done)
    name = "scoring/_back_test_card.html" if is_card else "scoring/back_test.html"
    response = render(request, name, context)
    if is_card and not context["running"]:
        response["HX-Trigger"] = f"back-test-over-{model.revision}"
    patch_vary_headers(response, ["HX-Target"])
    return response


@may_edit_model
@require_POST
def start(request: AppRequest, version: int) -> HttpResponse:
    """Ask for a back-test; answers with the card."""
    model = get_object_or_404(ScoringModel, version=version)
    try:
        services.start_back_test(model_id=model.pk, actor=request.user, now=timezone.now())
    except (services.NotADraft, services.BackTestRefused) as refused:
        messages.warning(request, str(refused))
    except DefinitionInvalid as faulty:
        messages.warning(request, f"{model} has faults; mend them first. {faulty}")
    return _answer(request, model)


@may_edit_model
@require_POST
def stop(request: AppRequest, version: int) -> HttpResponse:
    """Stop a back-test; answers with the card."""
    model = get_object_or_404(ScoringModel, version=version)
    running = BackTest.objects.of_revision(model).waiting().first()
    if running:
        error = f"Stopped by {request.user}."
        services.stop_back_test(back_test_id=running.pk, error=error, now=timezone.now())
    return _answer(request, model)


@may_read_model
@require_GET
def cycles_csv(request: AppRequest, version: int) -> FileResponse:
    """Send the cycles that the page counts, or those of one change."""
    done = BackTest.objects.finished_for(get_object_or_404(ScoringModel, version=version))
    if done is None:
        raise Http404
    cycles = _cycles(done, request.GET.get("change", ""))
    return csv_file(f"back-test-v{version}.csv", _CSV_HEADER, _rows(cycles))


def _card(request: AppRequest, model: ScoringModel) -> dict[str, Any]:
    may_run = request.user.has_role(*EDITOR_ROLES) and model.is_draft
    return {**back_test_card.card_of(model), "may_run": may_run}


def _answer(request: AppRequest, model: ScoringModel) -> HttpResponse:
    if not request.htmx:
        return redirect("scoring:back_test", version=model.version)
    return render(request, "scoring/_back_test_card.html", _card(request, model))


def _findings(request: AppRequest, done: BackTest) -> dict[str, Any]:
    """Return what the page shows beside the card."""
    changes = back_test_card.change_lines(done)
    with_leads = [each["code"] for each in changes if each["cycles"]]
    change = request.GET.get("change") or next(iter(with_leads), BackTestChange.GAINED.value)
    page = keyset_page(_cycles(done, change), ordering=("id",), cursor=request.GET.get("cursor"))
    return {
        "changes": changes,
        "change": change,
        "page": page,
        "weeks": back_test_card.week_lines(done),
        "week_chart": back_test_card.week_chart(done),
        "deciles": back_test_card.decile_lines(done),
        "load": done.results["load"],
    }


def _cycles(done: BackTest, change: str) -> QuerySet[BackTestCycle]:
    cycles = done.cycles.select_related("lead").order_by("id")
    if not change:
        return cycles
    if change not in BackTestChange.values:
        raise Http404
    return cycles.filter(change=change)


def _rows(cycles: QuerySet[BackTestCycle]) -> Iterator[tuple[Any, ...]]:
    reasons = refusal_labels()
    for cycle in cycles.iterator(chunk_size=2_000):
        yield (
            cycle.lead_id, cycle.lead.display_name, cycle.number, cycle.get_change_display(),
            cycle.began_at, cycle.mql_at, cycle.sql_at, cycle.won_at, cycle.refused_at,
            reasons.get(cycle.refusal, cycle.refusal),
            cycle.draft_mql_at, cycle.draft_rule, _points(cycle.draft_score),
            cycle.former_mql_at, cycle.former_rule, _points(cycle.former_score),
        )  # fmt: skip


def _points(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10

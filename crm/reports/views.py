"""The pages of the reports and their CSV."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.criteria import ValueInvalid
from crm.common.csv import csv_file
from crm.common.http import AppRequest
from crm.common.paging import estimate_count, keyset_page
from crm.reports import funnel_page, pages, sla
from crm.reports.cohorts import Unit
from crm.reports.enums import READERS
from crm.reports.funnel import cohort_rows, funnel, move_rows
from crm.reports.heat import heat_map
from crm.reports.live import live_clocks, live_figures
from crm.reports.questions import (
    QuestionInvalid,
    SlaQuestion,
    funnel_question,
    sla_question,
)
from crm.reports.scorecard import scorecard
from crm.reports.sla_output import TABLE_HEADER, figures, table_rows
from crm.reports.sla_page import filter_chips, split_segments, week_chart
from crm.reports.slices import read_slice, slice_cycles
from crm.reports.standing import By, Sample
from crm.reports.today import load_today
from handoff.definition import mql_cells
from handoff.enums import ClockKind
from handoff.models import Agreement

DEFAULT_GOAL = 90  # percent on time while no agreement is signed, as Agreement.on_time_goal


def agreement_of(question: SlaQuestion, now: datetime) -> Agreement | None:
    """Return the version in force at the end of the period, or at ``now`` while that lasts."""
    signed = Agreement.objects.signed().filter(in_force_from__lte=min(now, question.period.end))
    return signed.order_by("-in_force_from", "-version").first()


def goal_of(kind: ClockKind, agreement: Agreement | None) -> int | None:
    """Return the percent promised on time; the agreement promises one for first touches only."""
    if kind is not ClockKind.FIRST_TOUCH:
        return None
    return agreement.on_time_goal if agreement else DEFAULT_GOAL


def counted(question: SlaQuestion, now: datetime) -> QuerySet[Any]:
    """Return the clocks that a figure counts: of this moment, or of the period."""
    if question.live:
        return live_clocks(question.scope, question.live, now=now)
    return sla.counted(question.scope, question.standing, now=now)


def counted_handoffs(request: AppRequest, question: SlaQuestion, now: datetime) -> dict[str, Any]:
    """Return what a page that lists exactly the handoffs of a figure needs of them."""
    clocks = counted(question, now)
    page = keyset_page(
        sla.for_lines(clocks),
        ordering=("-started_at", "-id"),
        cursor=request.GET.get("cursor"),
    )
    return {
        "question": question,
        "page": page,
        "lines": [sla.clock_line(clock, now=now) for clock in page.items],
        "count": estimate_count(clocks),
        "title": pages.counted_title(question),
    }


def refused(request: AppRequest, error: QuestionInvalid) -> HttpResponse:
    """Answer an address that asks for what no report has."""
    return render(request, "reports/refused.html", {"problem": str(error)}, status=400)


@role_required(*READERS)
@require_GET
def funnel_view(request: AppRequest) -> HttpResponse:
    """Show how far a cohort came; every figure opens its leads."""
    try:
        question = funnel_question(request.GET, now=timezone.now())
    except QuestionInvalid as error:
        return refused(request, error)
    whole, parts = funnel(question.cohort, split=question.split)
    path = reverse("reports:funnel")
    context = {
        "question": question,
        "periods": pages.period_links(path, question),
        "choices": funnel_page.funnel_choices(path, question),
        "steps": funnel_page.funnel_steps(question, whole),
        "visitors": funnel_page.funnel_visitors(question),
        "exits": funnel_page.funnel_exits(question, whole),
        "lines": funnel_page.funnel_lines(question, whole, parts),
        "split_note": funnel_page.split_note(question),
        "csv_url": f"{reverse('reports:funnel_csv')}?{question.query()}",
    }
    return render(request, "reports/funnel.html", context)


@role_required(*READERS)
@require_GET
def funnel_cycles(request: AppRequest) -> HttpResponse:
    """List exactly the cycles that a figure of the funnel counts."""
    try:
        asked = read_slice(request.GET.get("figure", ""))
        figure = read_slice(replace(asked, unit=Unit.CYCLES).code)  # visitors have no cycles
    except ValueInvalid as error:
        return refused(request, QuestionInvalid(f"A list of cycles {error}."))
    found = slice_cycles(figure)
    page = keyset_page(
        found.select_related("lead"),
        ordering=("-started_at", "-id"),
        cursor=request.GET.get("cursor"),
    )
    context = {
        "figure": figure,
        "page": page,
        "count": estimate_count(found),
        "keep": urlencode({"figure": figure.code}),
    }
    return render(request, "reports/funnel_cycles.html", context)


@role_required(*READERS)
@require_GET
def funnel_csv(request: AppRequest) -> HttpResponse | StreamingHttpResponse:
    """Send one row for each lead or cycle of the first step; of the flow, for each move."""
    try:
        question = funnel_question(request.GET, now=timezone.now())
    except QuestionInvalid as error:
        return refused(request, error)
    if question.is_flow:
        return csv_file("flow.csv", funnel_page.FLOW_HEADER, move_rows(question.cohort))
    return csv_file("funnel.csv", funnel_page.FUNNEL_HEADER, cohort_rows(question.cohort))


@role_required(*READERS)
@require_GET
def sla_page(request: AppRequest) -> HttpResponse:
    """Show which response times were kept, by whom, and where they were missed."""
    now = timezone.now()
    try:
        question = sla_question(request.GET, now=now)
    except QuestionInvalid as error:
        return refused(request, error)
    agreement = agreement_of(question, now)
    goal = goal_of(question.kind, agreement)
    found = figures(question, now=now)
    whole = pages.whole_line(question, found.whole, goal=goal)
    live = live_figures(question.scope, now=now)
    path = reverse("reports:sla")
    context = {
        "question": question,
        "agreement": agreement,
        "goal": goal,
        "periods": pages.period_links(path, question),
        "chips": filter_chips(path, question),
        "kinds": pages.kind_links(path, question),
        "splits": pages.by_links(path, question),
        "whole": whole,
        "figures": pages.kpis(question, whole, found.before, goal=goal, live=live),
        "lines": pages.compliance_lines(question, found.rows, goal=goal),
        "weeks": pages.compliance_lines(replace(question, by=By.WEEK), found.weeks, goal=goal),
        "chart": week_chart(question, found.weeks, goal=goal),
        "breaches": sla.breach_log(question.scope, now=now) if found.whole.missed else [],
        "heat": heat_map(found.arrivals),
        "split": found.split,
        "segments": split_segments(found.split),
        "split_url": f"{question.list_url}?{question.query(standing=Sample.SPLIT.value)}",
        "handoffs_query": question.whole_query,
        "card": scorecard(agreement, question.period.last, now=now),
        "csv_url": f"{reverse('reports:sla_csv')}?{question.query()}",
        "table_csv_url": f"{reverse('reports:sla_table')}?{question.query()}",
    }
    return render(request, "reports/sla.html", context)


@role_required(*READERS)
@require_GET
def sla_handoffs(request: AppRequest) -> HttpResponse:
    """List exactly the handoffs that a figure of the compliance page counts."""
    now = timezone.now()
    try:
        question = sla_question(request.GET, now=now)
    except QuestionInvalid as error:
        return refused(request, error)
    context = {
        **counted_handoffs(request, question, now),
        "csv_url": f"{reverse('reports:sla_csv')}?{question.query()}",
        "report_label": "SLA compliance",
        "report_url": f"{reverse('reports:sla')}?{question.whole_query}",
    }
    return render(request, "reports/counted_handoffs.html", context)


@role_required(*READERS)
@require_GET
def sla_csv(request: AppRequest) -> HttpResponse | StreamingHttpResponse:
    """Send the handoffs that the page counted, one row each."""
    now = timezone.now()
    try:
        question = sla_question(request.GET, now=now)
    except QuestionInvalid as error:
        return refused(request, error)
    rows = sla.rows_of(counted(question, now))
    return csv_file("sla.csv", pages.SLA_HEADER, rows)


@role_required(*READERS)
@require_GET
def sla_table(request: AppRequest) -> HttpResponse | StreamingHttpResponse:
    """Send the lines of the page's table, as ``manage.py report sla --by`` writes them."""
    now = timezone.now()
    try:
        question = sla_question(request.GET, now=now)
    except QuestionInvalid as error:
        return refused(request, error)
    rows = table_rows(question, figures(question, now=now))
    return csv_file("sla-table.csv", TABLE_HEADER, rows)


@role_required(Role.MANAGER, Role.ADMIN)
@never_cache
@require_GET
def today_page(request: AppRequest) -> HttpResponse:
    """Show a manager what needs a decision now, each figure with its rows."""
    now = timezone.now()
    is_agreed = Agreement.objects.in_force(now).exists()
    context = {"today": load_today(now=now), "is_agreed": is_agreed, "definition": mql_cells()}
    return render(request, "reports/today.html", context)

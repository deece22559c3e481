"""The calibration page: which answers predicted won deals, and the forms behind each figure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from crm.accounts.access import role_required
from crm.common.http import AppRequest
from crm.common.instants import FIRST_YEAR
from crm.common.paging import estimate_count, keyset_page
from crm.reports.calibration import LEAST, calibrate, recorded_forms
from crm.reports.enums import READERS
from handoff.enums import BantAnswer

#: What the page looks back on, by the parameter ``days``; 0 is everything.
_SPANS = {365: "Last 365 days", 90: "Last 90 days", 0: "All time"}


@role_required(*READERS)
@require_GET
def calibration_page(request: AppRequest) -> HttpResponse:
    """Show by question and answer what became of the leads that were asked."""
    now, days = timezone.now(), _days(request)
    context = {
        "tables": calibrate(since=_since(days, now), now=now),
        "days": days,
        "spans": _SPANS,
        "least": LEAST,
    }
    return render(request, "reports/calibration.html", context)


@role_required(*READERS)
@require_GET
def calibration_forms(request: AppRequest) -> HttpResponse:
    """List exactly the forms that a figure of the page counts."""
    now, days = timezone.now(), _days(request)
    asked = {name: request.GET.get(name, "") for name in ("framework", "question", "outcome")}
    answer = request.GET.get("answer", "")
    if answer not in BantAnswer.values or any("\x00" in said for said in asked.values()):
        raise Http404
    forms = recorded_forms(**asked, answer=BantAnswer(answer), since=_since(days, now), now=now)
    context = {
        "page": keyset_page(
            forms, ordering=("-submitted_at", "-handoff_id"), cursor=request.GET.get("cursor")
        ),
        "count": estimate_count(forms),
        "title": f"{asked['question'].replace('_', ' ').capitalize()}: {BantAnswer(answer).label}",
        "keep": urlencode({**asked, "answer": answer, "days": str(days)}),
        "days": days,
    }
    return render(request, "reports/calibration_forms.html", context)


def _days(request: AppRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, _SPANS) else 365


def _since(days: int, now: datetime) -> datetime:
    return now - timedelta(days=days) if days else datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)

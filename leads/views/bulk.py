"""Pages of what is done to many leads: the order, its progress, its result, taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.forms import form_status
from crm.common.csv import csv_file
from crm.common.http import AppRequest, render_page
from crm.common.once import act_once, form_key
from crm.common.paging import estimate_count, keyset_page
from leads.bulk import jobs
from leads.bulk.acts import BULK_ROLES, BulkAct, BulkForm, bulk_acts
from leads.bulk.results import result_header, result_rows
from leads.enums import BulkResult
from leads.list_address import ListAddress, read_address
from leads.models import BulkJob

_DIGITS = 19  # of a number that no bigint holds
may_act = role_required(*BULK_ROLES)


@may_act
@require_http_methods(["GET", "POST"])
def bulk_act(request: AppRequest, act: str) -> HttpResponse:
    """Ask what an act has to be told, and order it for the ticked leads or all of the list."""
    asked = bulk_acts.get(act)
    if asked is None:
        raise Http404
    sent = request.POST if request.method == "POST" else request.GET
    address = read_address(sent, user=request.user)
    chosen = ticked(sent.getlist("ids")) if sent.get("scope") != "all" else None
    if address.problems or chosen == []:
        messages.warning(request, next(iter(address.problems), "No lead is ticked."))
        return redirect(f"{reverse('leads:list')}?{address.query}")
    form = asked.form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return redirect("leads:bulk_job", _order(request, asked, form, address, chosen))
    context = {"act": asked, "address": address, "chosen": chosen, "form": form}
    context |= _scope(request, address, chosen)
    return render(request, "leads/bulk_act.html", context, status=form_status(form))


def _scope(request: AppRequest, address: ListAddress, chosen: list[int] | None) -> dict[str, Any]:
    """Return how many leads are meant, and when the person saw them."""
    now = timezone.now()
    sent = request.POST if request.method == "POST" else request.GET
    listed = address.leads(viewer=request.user, now=now)
    count = estimate_count(listed) if chosen is None else None
    return {"count": count, "seen_at": sent.get("seen_at") or now.isoformat()}


def _order(
    request: AppRequest,
    act: BulkAct,
    form: BulkForm,
    address: ListAddress,
    chosen: list[int] | None,
) -> int:
    """Order the act once, however often the form arrives."""
    now = timezone.now()
    return act_once(
        jobs.order_act, form_key(request),
        act=act, said=form.said(), words=act.words(form.cleaned_data), query=address.query,
        lead_ids=chosen, seen_at=_seen_at(request.POST, now),
        actor=request.user, now=now,
    )  # fmt: skip


@may_act
@require_GET
def bulk_jobs(request: AppRequest) -> HttpResponse:
    """List what was done to many leads, the latest first."""
    visible = BulkJob.objects.visible_to(request.user).select_related("created_by")
    page = keyset_page(visible, ordering=("-id",), cursor=request.GET.get("cursor"))
    return render(request, "leads/bulk_jobs.html", {"page": page, "now": timezone.now()})


@may_act
@require_GET
def bulk_job(request: AppRequest, job_id: int) -> HttpResponse:
    """Show how far a job is and what became of its leads; htmx asks again every second."""
    job = _job(request, job_id)
    counts = jobs.counts(job)
    context = {
        "job": job,
        "counts": list(counts.items()),
        "ended": sum(counts.values()),
        "may_undo": counts[BulkResult.DONE] and job.undoes_id is None,
        "undoing": BulkJob.objects.filter(undoes=job).first(),
    }
    return render_page(request, "leads/bulk_job.html", context, partial="leads/_bulk_state.html")


@may_act
@require_GET
def bulk_rows(request: AppRequest, job_id: int, result: str) -> HttpResponse:
    """List the leads that ended as ``result``, each with its reason."""
    job = _job(request, job_id)
    if result not in BulkResult.values:
        raise Http404
    rows = job.rows.filter(result=result).select_related("lead")
    page = keyset_page(rows, ordering=("id",), cursor=request.GET.get("cursor"))
    context = {"job": job, "page": page, "result": BulkResult(result)}
    return render(request, "leads/bulk_rows.html", context)


@may_act
@require_GET
def bulk_result(request: AppRequest, job_id: int) -> HttpResponseBase:
    """Send what became of each lead as CSV."""
    job = _job(request, job_id)
    return csv_file(f"leads-{job.act}-{job.pk}.csv", result_header(), result_rows(job))


@may_act
@require_POST
def bulk_stop(request: AppRequest, job_id: int) -> HttpResponse:
    """Stop a running job after the leads in work."""
    job = _job(request, job_id)
    reason = f"Stopped by {request.user}. What was done until then stays."
    jobs.stop_job(job_id=job.pk, now=timezone.now(), error=reason)
    return redirect("leads:bulk_job", job.pk)


@may_act
@require_POST
def bulk_resume(request: AppRequest, job_id: int) -> HttpResponse:
    """Let a stopped job go on."""
    job = _job(request, job_id)
    try:
        jobs.resume_job(job_id=job.pk)
    except jobs.BulkRefused as refusal:
        messages.warning(request, str(refusal))
    return redirect("leads:bulk_job", job.pk)


@may_act
@require_POST
def bulk_undo(request: AppRequest, job_id: int) -> HttpResponse:
    """Take a job back, as a job of its own."""
    job = _job(request, job_id)
    try:
        undoing = jobs.undo_job(job_id=job.pk, actor=request.user, now=timezone.now())
    except jobs.BulkRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("leads:bulk_job", job.pk)
    return redirect("leads:bulk_job", undoing.pk)


def ticked(texts: Sequence[str]) -> list[int]:
    """Return the ids among ``texts``; anything else names no lead."""
    return [int(text) for text in texts if text.isdecimal() and len(text) < _DIGITS]


def _seen_at(sent: QueryDict, now: datetime) -> datetime:
    """Return when the person saw the list, as the form says; ``now`` when it says no time."""
    try:
        seen = datetime.fromisoformat(sent.get("seen_at", ""))
    except ValueError:
        return now
    return seen.astimezone(UTC) if timezone.is_aware(seen) and seen < now else now


def _job(request: AppRequest, job_id: int) -> BulkJob:
    return get_object_or_404(BulkJob.objects.visible_to(request.user), pk=job_id)

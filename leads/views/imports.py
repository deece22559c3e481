"""Pages of imports: upload, mapping, dry run, result."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.accounts.forms import form_status
from crm.common.csv import csv_file
from crm.common.http import AppRequest, render_page
from crm.common.paging import keyset_page
from leads.enums import RowResult
from leads.import_forms import UploadForm
from leads.import_mapping_forms import DealMappingForm, LeadMappingForm, mapping_form
from leads.importing import jobs
from leads.importing.mapping import MappingInvalid
from leads.importing.progress import progress_of
from leads.importing.reading import FileRefused
from leads.importing.refusals import refusal_rows, refusals_header
from leads.importing.uploads import receive_upload, sample_columns
from leads.models import ImportJob

may_import = role_required(Role.MARKETER, Role.MANAGER, Role.ADMIN)


@may_import
@require_http_methods(["GET", "POST"])
def imports(request: AppRequest) -> HttpResponse:
    """List the imports, and take a file for another one."""
    form = UploadForm(request.POST or None, request.FILES or None)
    job = _receive(request, form) if form.is_valid() else None
    if job:
        return redirect("leads:import_mapping", job.pk)
    page = keyset_page(
        ImportJob.objects.visible_to(request.user).select_related("created_by"),
        ordering=("-id",),
        cursor=request.GET.get("cursor"),
    )
    context = {"form": form, "page": page, "now": timezone.now()}
    return render(request, "leads/imports.html", context, status=form_status(form))


@may_import
@require_http_methods(["GET", "POST"])
def import_mapping(request: AppRequest, job_id: int) -> HttpResponse:
    """Say what the columns of a file are; saying it starts the dry run."""
    job = _job(request, job_id)
    try:
        sample = sample_columns(job)
    except FileRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("leads:imports")
    zone = timezone.get_current_timezone_name()
    form = mapping_form(job=job, sample=sample, data=request.POST or None, zone=zone)
    if form.is_valid() and _start_dry_run(request, job, form):
        return redirect("leads:import", job.pk)
    context = {"job": job, "form": form}
    return render(request, "leads/import_mapping.html", context, status=form_status(form))


@may_import
@require_GET
def import_job(request: AppRequest, job_id: int) -> HttpResponse:
    """Show how far an import is and what became of its lines; htmx asks again every second."""
    job = _job(request, job_id)
    if job.is_draft:
        return redirect("leads:import_mapping", job.pk)
    context = {"job": job, "progress": progress_of(job)}
    return render_page(request, "leads/import.html", context, partial="leads/_import_state.html")


@may_import
@require_GET
def import_lines(request: AppRequest, job_id: int, result: str) -> HttpResponse:
    """List the lines that ended as ``result``, each with its reason and its lead."""
    job = _job(request, job_id)
    if result not in RowResult.values:
        raise Http404
    rows = job.rows.filter(result=result).select_related("lead")
    page = keyset_page(rows, ordering=("line",), cursor=request.GET.get("cursor"))
    context = {"job": job, "page": page, "result": RowResult(result)}
    return render(request, "leads/import_lines.html", context)


@may_import
@require_GET
def import_refused(request: AppRequest, job_id: int) -> HttpResponseBase:
    """Send the refused lines as CSV, to mend and import again."""
    job = _job(request, job_id)
    name = f"import-{job.pk}-refused.csv"
    return csv_file(name, refusals_header(job), refusal_rows(job))


@may_import
@require_GET
def import_mapping_file(request: AppRequest, job_id: int) -> HttpResponse:
    """Send the mapping, to use with the next file or with ``manage.py import_leads``."""
    job = _job(request, job_id)
    response = JsonResponse(job.mapping, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="import-{job.pk}-mapping.json"'
    return response


@may_import
@require_POST
def import_start(request: AppRequest, job_id: int) -> HttpResponse:
    """After the dry run: import for real."""
    job = _job(request, job_id)
    try:
        jobs.start_import(job_id=job.pk)
    except jobs.ImportStarted as refusal:
        messages.warning(request, str(refusal))
    return redirect("leads:import", job.pk)


@may_import
@require_POST
def import_stop(request: AppRequest, job_id: int) -> HttpResponse:
    """Stop a running import after the lines in work."""
    job = _job(request, job_id)
    reason = f"Stopped by {request.user}. What was imported until then stays."
    jobs.stop_job(job_id=job.pk, now=timezone.now(), error=reason)
    return redirect("leads:import", job.pk)


@may_import
@require_POST
def import_resume(request: AppRequest, job_id: int) -> HttpResponse:
    """Let a stopped import go on."""
    job = _job(request, job_id)
    try:
        jobs.resume_job(job_id=job.pk)
    except jobs.ImportStarted as refusal:
        messages.warning(request, str(refusal))
    return redirect("leads:import", job.pk)


def _job(request: AppRequest, job_id: int) -> ImportJob:
    return get_object_or_404(ImportJob.objects.visible_to(request.user), pk=job_id)


def _receive(request: AppRequest, form: UploadForm) -> ImportJob | None:
    """Keep the uploaded file; say in the form why it cannot be used."""
    said = form.cleaned_data
    try:
        return receive_upload(
            upload=said["file"], kind=said["kind"], mapping=said["mapping"],
            now=timezone.now(), created_by=request.user,
        )  # fmt: skip
    except MappingInvalid as error:
        for path, sentence in error.problems:
            form.add_error("mapping", f"{path} {sentence}")
    except FileRefused as error:
        form.add_error("file", str(error))
    return None


def _start_dry_run(
    request: AppRequest, job: ImportJob, form: LeadMappingForm | DealMappingForm
) -> bool:
    """Queue the job with the mapping of the form; say in the form why it cannot be used."""
    try:
        jobs.set_mapping(job_id=job.pk, mapping=form.document, is_dry_run=True)
    except MappingInvalid as error:
        form.refuse(error)
        return False
    except jobs.ImportStarted as refusal:
        messages.warning(request, str(refusal))
    return True

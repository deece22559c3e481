"""Pages of the webinars: who registered, who came, and the lists that tell."""

from __future__ import annotations

from pathlib import Path

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.forms import form_status, posted
from crm.common.csv import csv_file
from crm.common.http import AppRequest, render_page
from crm.common.paging import keyset_page
from engagement import content_lists
from engagement.content_access import may_edit_content
from engagement.content_forms import AttendanceForm, WebinarForm
from engagement.enums import AttendanceResult
from engagement.figures import webinar_figures
from engagement.models import AttendanceUpload, Webinar
from engagement.services import SlugTaken
from engagement.services.attendance_uploads import check_list, line_results, queue_upload
from engagement.services.webinars import NotOver, create_webinar, mark_no_shows, update_webinar
from leads.importing.reading import FileRefused

MOST_SHOWN = 20


@may_edit_content
@require_GET
def webinar_list(request: AppRequest) -> HttpResponse:
    """List the webinars, the latest first, with who came."""
    webinars = Webinar.objects.select_related("asset")
    page = keyset_page(webinars, ordering=("-starts_at", "-id"), cursor=request.GET.get("cursor"))
    figures = webinar_figures([webinar.pk for webinar in page.items])
    lines = content_lists.webinar_lines(page.items, figures)
    context = {"lines": lines, "page": page, "now": timezone.now()}
    return render(request, "engagement/webinars.html", context)


@may_edit_content
@require_http_methods(["GET", "POST"])
def webinar_add(request: AppRequest) -> HttpResponse:
    """Make a webinar."""
    zone = timezone.get_current_timezone_name()
    form = WebinarForm(posted(request), is_new=True, initial={"time_zone": zone})
    if form.is_valid():
        try:
            webinar = create_webinar(**form.cleaned_data)
        except SlugTaken:
            form.add_error("slug", "Another webinar or asset has this short name.")
        else:
            return redirect("engagement:webinar", slug=webinar.slug)
    return render(request, "engagement/webinar_form.html", {"form": form}, status=form_status(form))


@may_edit_content
@require_http_methods(["GET", "POST"])
def webinar_edit(request: AppRequest, slug: str) -> HttpResponse:
    """Change the name or the time of a webinar."""
    webinar = get_object_or_404(Webinar, slug=slug)
    form = WebinarForm(posted(request), is_new=False, initial=WebinarForm.initial_of(webinar))
    if form.is_valid():
        update_webinar(webinar_id=webinar.pk, **form.cleaned_data)
        return redirect("engagement:webinar", slug=webinar.slug)
    context = {"form": form, "webinar": webinar}
    return render(request, "engagement/webinar_form.html", context, status=form_status(form))


@may_edit_content
@require_GET
def webinar_detail(request: AppRequest, slug: str) -> HttpResponse:
    """Show who is on the list of a webinar, and the lists that were uploaded."""
    webinar = get_object_or_404(Webinar.objects.select_related("asset"), slug=slug)
    found = webinar_figures([webinar.pk]).get(webinar.pk)
    context = {
        "webinar": webinar,
        "cells": content_lists.webinar_cells(webinar, found),
        "unanswered": found.unanswered if found else 0,
        "uploads": _uploads(webinar),
        "now": timezone.now(),
    }
    return render(request, "engagement/webinar.html", context)


@may_edit_content
@require_POST
def webinar_no_shows(request: AppRequest, slug: str) -> HttpResponse:
    """Record that whoever is not known to have come has not."""
    webinar = get_object_or_404(Webinar, slug=slug)
    try:
        count = mark_no_shows(webinar_id=webinar.pk, now=timezone.now())
    except NotOver:
        messages.warning(request, "The webinar has not begun yet.")
    else:
        messages.success(request, f"{count} more are marked as no-show.")
    return redirect("engagement:webinar", slug=webinar.slug)


@may_edit_content
@require_http_methods(["GET", "POST"])
def attendance_add(request: AppRequest, slug: str) -> HttpResponse:
    """Take a list and check it; nothing is recorded before somebody says so."""
    webinar = get_object_or_404(Webinar.objects.select_related("asset"), slug=slug)
    form = AttendanceForm(posted(request), request.FILES or None)
    upload = _check(request, webinar, form) if form.is_valid() else None
    if upload:
        return redirect("engagement:attendance", upload_id=upload.pk)
    context = {"form": form, "webinar": webinar}
    return render(request, "engagement/attendance_form.html", context, status=form_status(form))


@may_edit_content
@require_GET
def attendance(request: AppRequest, upload_id: int) -> HttpResponse:
    """Show what a list would do or did, line by line; htmx asks again while it is recorded."""
    uploads = AttendanceUpload.objects.select_related("webinar", "uploaded_by")
    upload = get_object_or_404(uploads, pk=upload_id)
    result = request.GET.get("result")
    rows = upload.rows.select_related("lead")
    if result in AttendanceResult.values:
        rows = rows.filter(result=result)
    context = {
        "upload": upload,
        "counts": content_lists.result_choices(upload, request.path, asked=result or ""),
        "page": keyset_page(rows, ordering=("line",), cursor=request.GET.get("cursor")),
        "result": result if result in AttendanceResult.values else "",
        "address": request.get_full_path(),
    }
    partial = "engagement/_attendance.html"
    return render_page(request, "engagement/attendance.html", context, partial=partial)


@may_edit_content
@require_POST
def attendance_record(_request: AppRequest, upload_id: int) -> HttpResponse:
    """Have a checked list recorded."""
    upload = get_object_or_404(AttendanceUpload, pk=upload_id)
    queue_upload(upload_id=upload.pk)
    return redirect("engagement:attendance", upload_id=upload.pk)


@may_edit_content
@require_GET
def attendance_csv(_request: AppRequest, upload_id: int) -> HttpResponseBase:
    """Send what became of each line."""
    upload = get_object_or_404(AttendanceUpload, pk=upload_id)
    header = ("line", "email", "status", "result", "reason")
    return csv_file(f"attendance-{upload.pk}.csv", header, line_results(upload))


def _uploads(webinar: Webinar) -> list[AttendanceUpload]:
    """Return the newest lists."""
    uploads = AttendanceUpload.objects.filter(webinar=webinar).select_related("uploaded_by")
    return list(uploads.order_by("-id")[:MOST_SHOWN])


def _check(request: AppRequest, webinar: Webinar, form: AttendanceForm) -> AttendanceUpload | None:
    """Check the uploaded list; say in the form why it cannot be read."""
    file = form.cleaned_data["file"]
    try:
        return check_list(
            webinar=webinar,
            path=Path(file.temporary_file_path()),
            filename=file.name,
            columns=form.columns,
            captures_unknown=form.cleaned_data["captures_unknown"],
            now=timezone.now(),
            by=request.user,
        )
    except FileRefused as refused:
        form.add_error("file", str(refused))
    return None

"""Pages of the library: assets, what came of them, and the files behind them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.forms import form_status, posted
from crm.common.http import AppRequest, render_page, wants_partial
from crm.common.period import PeriodInvalid, period_from
from engagement import content_lists
from engagement.content_access import may_edit_content
from engagement.content_forms import AssetForm, FileForm, personas_in_use
from engagement.enums import AssetKind, EventKind, FunnelStage
from engagement.figures import asset_figures
from engagement.models import Asset, AssetFile, CaptureForm, Event
from engagement.services import (
    PatternTaken,
    SlugTaken,
    create_asset,
    set_archived,
    update_asset,
)
from engagement.services.files import FileUnfit, keep_file

LATELY = 15


@may_edit_content
@require_GET
def content(_request: AppRequest) -> HttpResponse:
    """Lead to the first of the content pages; the side bar points here."""
    return redirect("engagement:assets")


@may_edit_content
@require_GET
def asset_list(request: AppRequest) -> HttpResponse:
    """List the assets with what came of them; with many leads the figures come afterwards."""
    now = timezone.now()
    try:
        period = period_from(request.GET, now=now, default="quarter")
    except PeriodInvalid as problem:
        messages.warning(request, str(problem))
        return redirect("engagement:assets")
    is_waiting = not wants_partial(request) and content_lists.are_slow()
    figures = None if is_waiting else asset_figures(period.start, period.end)
    assets = _filtered(request)
    context = {
        "lines": content_lists.asset_lines(assets, figures, period),
        "period": period,
        "periods": content_lists.period_choices(request.path, request.GET, period),
        "is_waiting": is_waiting,
        "address": request.get_full_path(),
        "kinds": AssetKind.choices,
        "stages": FunnelStage.choices,
        "asked": request.GET,
        "has_any": bool(assets) or Asset.objects.exists(),
    }
    partial = "engagement/_asset_table.html"
    return render_page(request, "engagement/assets.html", context, partial=partial)


@may_edit_content
@require_http_methods(["GET", "POST"])
def asset_add(request: AppRequest) -> HttpResponse:
    """Add an asset."""
    form = AssetForm(posted(request), is_new=True)
    if form.is_valid():
        try:
            asset = create_asset(**form.cleaned_data)
        except SlugTaken:
            form.add_error("slug", "Another asset has this short name.")
        except PatternTaken as taken:
            form.add_error("patterns", str(taken))
        else:
            return redirect("engagement:asset", slug=asset.slug)
    context = {"form": form, "personas": personas_in_use()}
    return render(request, "engagement/asset_form.html", context, status=form_status(form))


@may_edit_content
@require_http_methods(["GET", "POST"])
def asset_edit(request: AppRequest, slug: str) -> HttpResponse:
    """Change what an asset is, and where it is seen."""
    asset = get_object_or_404(Asset, slug=slug)
    form = AssetForm(posted(request), is_new=False, initial=AssetForm.initial_of(asset))
    if form.is_valid():
        try:
            update_asset(asset_id=asset.pk, **form.cleaned_data)
        except PatternTaken as taken:
            form.add_error("patterns", str(taken))
        else:
            return redirect("engagement:asset", slug=asset.slug)
    context = {"form": form, "asset": asset, "personas": personas_in_use()}
    return render(request, "engagement/asset_form.html", context, status=form_status(form))


@may_edit_content
@require_http_methods(["GET", "POST"])
def asset_detail(request: AppRequest, slug: str) -> HttpResponse:
    """Show one asset: its figures, its addresses, its file; a POST puts a file behind it."""
    asset, now = get_object_or_404(Asset, slug=slug), timezone.now()
    form = FileForm(posted(request), request.FILES or None)
    if form.is_valid() and _keep(request, asset, form):
        return redirect("engagement:asset", slug=asset.slug)
    period = period_from({}, now=now, default="year")
    found = asset_figures(period.start, period.end, asset_id=asset.pk).get(asset.pk)
    context = {
        "asset": asset,
        "form": form,
        "file": AssetFile.objects.select_related("uploaded_by").filter(asset=asset).first(),
        "cells": content_lists.asset_cells(asset, found, period),
        "period": period,
        "patterns": sorted(map(str, asset.patterns.all())),
        "forms": CaptureForm.objects.filter(asset=asset).order_by("name", "id"),
        "downloads": _downloads(asset),
        "now": now,
    }
    return render(request, "engagement/asset.html", context, status=form_status(form))


@may_edit_content
@require_POST
def asset_archive(request: AppRequest, slug: str) -> HttpResponse:
    """Take an asset out of the lists, or back into them."""
    asset = get_object_or_404(Asset, slug=slug)
    set_archived(asset_id=asset.pk, is_archived=request.POST.get("archive") == "1")
    return redirect(reverse("engagement:asset", args=[asset.slug]))


def _filtered(request: AppRequest) -> list[Asset]:
    """Return the assets that the address asks for; what it does not know it does not filter by."""
    assets = Asset.objects.filter(is_archived=request.GET.get("archived") == "1")
    if (kind := request.GET.get("kind")) in AssetKind.values:
        assets = assets.filter(kind=kind)
    if (stage := request.GET.get("stage")) in FunnelStage.values:
        assets = assets.filter(funnel_stage=stage)
    return list(assets.select_related("file").order_by("name", "id"))


def _keep(request: AppRequest, asset: Asset, form: FileForm) -> bool:
    """Put the uploaded file behind the asset; say in the form why it cannot be."""
    try:
        keep_file(
            asset_id=asset.pk, upload=form.cleaned_data["file"], now=timezone.now(), by=request.user
        )
    except FileUnfit as unfit:
        form.add_error("file", str(unfit))
        return False
    messages.success(request, "The file is there. Links that were sent before hand out this one.")
    return True


def _downloads(asset: Asset) -> list[Event]:
    """Return the newest downloads by people that are known."""
    events = Event.objects.human().filter(
        asset_id=asset.pk, lead__isnull=False, kind=EventKind.DOWNLOAD
    )
    return list(events.select_related("lead").order_by("-occurred_at", "-id")[:LATELY])

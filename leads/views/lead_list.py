"""The lead list: the page, the editor of a filter, the counts of its views, the export."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.common.csv import csv_file
from crm.common.http import AppRequest, render_page
from crm.common.paging import estimate_count
from crm.common.slots import lead_columns
from leads.export import export_header, export_lines
from leads.filtering import put_filter, read_editor, spell_filter
from leads.leaf_editing import field_menu
from leads.listing import (
    ListAddress,
    count_views,
    headers,
    load_list,
    read_address,
    view_tabs,
    widest_filter,
)
from leads.models import Lead


@login_required
@require_GET
def lead_list(request: AppRequest) -> HttpResponse:
    """Show one page of leads; htmx gets the list without the frame."""
    now = timezone.now()
    address = read_address(request.GET, user=request.user)
    found = load_list(address, viewer=request.user, now=now, cursor=request.GET.get("cursor"))
    context = {
        "address": address,
        "found": found,
        "headers": headers(address),
        "tabs": view_tabs(address, viewer=request.user),
        **_panel(request, address),
        **({} if found.rows else _emptiness(address, request, now)),
    }
    status = 400 if address.problems else 200
    return render_page(
        request, "leads/lead_list.html", context, partial="leads/_lead_list.html", status=status
    )


@login_required
@require_GET
def filter_editor(request: AppRequest) -> HttpResponse:
    """Open the menu of filters or the editor of one, or apply it and go to the list it makes."""
    address = read_address(request.GET, user=request.user)
    editor = read_editor(request.GET, address)
    if editor and "apply" in request.GET and not editor.problem:
        spelt = spell_filter(editor, request.GET)
        wanted = put_filter(address.filters, spelt, replaces=editor.replaces)
        return _to_list(address.with_filters(wanted).query)
    return _open_panel(request, address, "filters")


@login_required
@require_GET
def column_menu(request: AppRequest) -> HttpResponse:
    """Open the choice of columns."""
    return _open_panel(request, read_address(request.GET, user=request.user), "columns")


@login_required
@require_GET
def view_counts(request: AppRequest) -> HttpResponse:
    """Return the saved views with how many leads each holds; the page asks once it is shown."""
    address = read_address(request.GET, user=request.user)
    counts = count_views(viewer=request.user, now=timezone.now())
    tabs = view_tabs(address, viewer=request.user, counts=counts)
    return render(request, "leads/_view_tabs.html", {"tabs": tabs, "address": address})


@login_required
@require_GET
def list_count(request: AppRequest) -> HttpResponse:
    """Return how many leads a list holds, for pages that were shown before it was counted.

    Without htmx it is told as a message above the list.
    """
    address = read_address(request.GET, user=request.user)
    count = estimate_count(address.leads(viewer=request.user, now=timezone.now()))
    if not request.htmx:
        messages.info(request, f"Leads that match: {count}.")
        return _to_list(address.query)
    return render(request, "leads/_list_count.html", {"address": address, "count": count})


@login_required
@require_GET
def lead_export(request: AppRequest) -> HttpResponseBase:
    """Send the leads that the list counts, or those ticked in it, as CSV."""
    now = timezone.now()
    address = read_address(request.GET, user=request.user)
    if address.problems:
        return _to_list(request.GET.urlencode())
    only = _ticked(request.GET.getlist("ids")) if request.GET.get("scope") == "chosen" else None
    rows = export_lines(address, viewer=request.user, now=now, only=only)
    name = f"leads-{address.view.name}-{timezone.localdate(now)}.csv"
    return csv_file(name, export_header(address), rows)


def _panel(request: AppRequest, address: ListAddress, name: str = "") -> dict[str, Any]:
    """Return what is open between the filters and the rows; the address says it by ``open``."""
    editor = read_editor(request.GET, address)
    asked = name or request.GET.get("open")
    return {
        "editor": editor,
        "filter_menu": field_menu() if asked == "filters" and not editor else None,
        "all_columns": lead_columns if asked == "columns" else None,
    }


def _open_panel(request: AppRequest, address: ListAddress, name: str) -> HttpResponse:
    """Answer htmx with the panel alone, and everyone else with the list that shows it open."""
    if not request.htmx:
        return _to_list(f"{request.GET.urlencode()}&open={name}")
    context = {"address": address, **_panel(request, address, name)}
    response = render(request, "leads/_list_panel.html", context)
    if context["editor"] and context["editor"].problem:
        response.status_code = 422
        response["HX-Retarget"] = "#list-panel"
    return response


def _to_list(query: str) -> HttpResponse:
    return redirect(f"{reverse('leads:list')}?{query}")


def _ticked(texts: Sequence[str]) -> list[int]:
    """Return the ids among ``texts``; anything else names no lead."""
    return [int(text) for text in texts if text.isdecimal() and len(text) < 19]


def _emptiness(address: ListAddress, request: AppRequest, now: datetime) -> dict[str, Any]:
    """Return what an empty list says: nothing there yet, or which filter keeps out the most."""
    if address.problems or not address.chips:
        return {"is_first_run": not Lead.objects.exists()}
    widest = widest_filter(address, viewer=request.user, now=now)
    wider = address.without(widest.chip.query) if widest and widest.count.value else None
    return {"widest": widest, "wider": wider, "is_first_run": not Lead.objects.exists()}

"""The lead list: the page, what opens between filters and rows, the counts, the export."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.common.csv import csv_file
from crm.common.http import AppRequest, render_page
from crm.common.paging import estimate_count
from crm.common.xlsx import xlsx_file
from leads.board import load_board, load_column
from leads.bulk.acts import BULK_ROLES, bulk_acts
from leads.conditions import ConditionsEditor, read_conditions
from leads.enums import LifecycleStage
from leads.export import export_header, export_lines
from leads.filtering import put_filter, read_editor, spell_filter
from leads.leaf_editing import field_menu
from leads.list_address import ListAddress, column_choices, headers, read_address
from leads.listing import count_views, load_list, view_tabs, widest_filter
from leads.models import Lead
from leads.saved_views import may_write
from leads.services.views import TEAM_ROLES
from leads.views.bulk import ticked

_FILES = {"csv": csv_file, "xlsx": xlsx_file}


@login_required
@require_GET
def lead_list(request: AppRequest) -> HttpResponse:
    """Show one page of leads; htmx gets the list without the frame."""
    now = timezone.now()
    address = read_address(request.GET, user=request.user)
    context = {
        "address": address,
        "now": now,
        "tabs": view_tabs(address),
        "may_save": may_write(request.user, address.view),
        **_panel(request, address),
        **(_board if address.is_board else _table)(request, address, now),
    }
    status = 404 if address.is_missing else 400 if address.problems else 200
    return render_page(
        request, "leads/lead_list.html", context, partial="leads/_lead_list.html", status=status
    )


@login_required
@require_GET
def board_column(request: AppRequest, stage: str) -> HttpResponse:
    """Answer htmx with further leads of one column of the board; anybody else with its table."""
    address = read_address(request.GET, user=request.user)
    if stage not in LifecycleStage.values or address.problems:
        raise Http404
    if not request.htmx:
        return _to_list(address.only_in(stage).as_table.query)
    column = load_column(
        address, LifecycleStage(stage), viewer=request.user, now=timezone.now(),
        cursor=request.GET.get("cursor"),
    )  # fmt: skip
    context = {"address": address, "column": column, "now": timezone.now()}
    return render(request, "leads/_board_cards.html", context)


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
    """Open the choice of columns, their order and the rows a page has; move one of them."""
    address = read_address(request.GET, user=request.user)
    moved = address.with_column_moved(request.GET.get("move", ""))
    return _open_panel(request, moved, "columns", query=moved.query)


@login_required
@require_GET
def conditions(request: AppRequest) -> HttpResponse:
    """Edit all conditions of the list as one tree, or go to the list that they make."""
    address = read_address(request.GET, user=request.user)
    if "show" in request.GET:
        now = timezone.now()
        editor = read_conditions(request.GET, address, viewer=request.user, now=now)
        if not editor.form.editor and editor.whole:
            return _to_list(editor.address.query)
    return _open_panel(request, address, "conditions")


@login_required
@require_GET
def view_form(request: AppRequest) -> HttpResponse:
    """Open the form that keeps the list as a view."""
    return _open_panel(request, read_address(request.GET, user=request.user), "save")


@login_required
@require_GET
def view_counts(request: AppRequest) -> HttpResponse:
    """Return the saved views with how many leads each holds; the page asks once it is shown."""
    address = read_address(request.GET, user=request.user)
    counts = count_views(address.offered, viewer=request.user, now=timezone.now())
    tabs = view_tabs(address, counts)
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
    """Send the leads that the list counts, or those ticked in it, as a file of what it shows."""
    now = timezone.now()
    address = read_address(request.GET, user=request.user)
    if address.problems:
        return _to_list(request.GET.urlencode())
    only = ticked(request.GET.getlist("ids")) if request.GET.get("scope") == "chosen" else None
    rows = export_lines(address, viewer=request.user, now=now, only=only)
    kind = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    name = f"leads-{address.view.name}-{timezone.localdate(now)}.{kind}"
    return _FILES[kind](name, export_header(address), rows)


def _table(request: AppRequest, address: ListAddress, now: datetime) -> dict[str, Any]:
    found = load_list(address, viewer=request.user, now=now, cursor=request.GET.get("cursor"))
    acts = list(bulk_acts) if request.user.has_role(*BULK_ROLES) else []
    context = {"found": found, "headers": headers(address), "acts": acts}
    return context if found.rows else {**context, **_emptiness(address, request, now)}


def _board(request: AppRequest, address: ListAddress, now: datetime) -> dict[str, Any]:
    return {"board": load_board(address, viewer=request.user, now=now)}


def _panel(request: AppRequest, address: ListAddress, name: str = "") -> dict[str, Any]:
    """Return what is open between the filters and the rows; the address says it by ``open``."""
    editor = read_editor(request.GET, address)
    asked = name or request.GET.get("open")
    return {
        "editor": editor,
        "filter_menu": field_menu() if asked == "filters" and not editor else None,
        "columns": column_choices(address) if asked == "columns" else None,
        "conditions": _conditions(request, address) if asked == "conditions" else None,
        "is_saving": asked == "save",
        "may_share": request.user.has_role(*TEAM_ROLES),
    }


def _conditions(request: AppRequest, address: ListAddress) -> ConditionsEditor:
    return read_conditions(request.GET, address, viewer=request.user, now=timezone.now())


def _open_panel(
    request: AppRequest, address: ListAddress, name: str, *, query: str = ""
) -> HttpResponse:
    """Answer htmx with the panel alone, and everyone else with the list that shows it open."""
    if not request.htmx:
        return _to_list(f"{query or request.GET.urlencode()}&open={name}")
    context = {"address": address, **_panel(request, address, name)}
    response = render(request, "leads/_list_panel.html", context)
    if context["editor"] and context["editor"].problem:
        response.status_code = 422
        response["HX-Retarget"] = "#list-panel"
    return response


def _to_list(query: str) -> HttpResponse:
    return redirect(f"{reverse('leads:list')}?{query}")


def _emptiness(address: ListAddress, request: AppRequest, now: datetime) -> dict[str, Any]:
    """Return what an empty list says: nothing there yet, or which filter keeps out the most."""
    is_first_run = request.user.sees_all_leads and not Lead.objects.exists()
    if address.problems or not address.chips:
        return {"is_first_run": is_first_run}
    widest = widest_filter(address, viewer=request.user, now=now)
    wider = address.without(widest.chip.query) if widest and widest.count.value else None
    return {"widest": widest, "wider": wider, "is_first_run": is_first_run}

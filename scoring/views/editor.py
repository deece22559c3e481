"""The scoring editor: a model's rules as sentences, and what they would do."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET
from kombu.exceptions import OperationalError

from crm.common.criteria import fields
from crm.common.http import AppRequest, render_page
from scoring.access import may_read_model
from scoring.diff import differences
from scoring.editor.address import EditorAddress, read_address
from scoring.editor.page import editor_page
from scoring.editor.trial import found_leads
from scoring.editor.undo import can_undo
from scoring.models import ScoringModel
from scoring.services import published_model
from scoring.tasks import count_rule_hits


@may_read_model
@require_GET
def model(request: AppRequest) -> HttpResponse:
    """Go to the newest open draft of this person, else to the model in force."""
    own = ScoringModel.objects.drafts().filter(created_by=request.user)
    shown = own.order_by("-version").first() or published_model()
    if shown is None:
        return render(request, "scoring/no_model.html")
    address = read_address(shown.version, request.GET)
    return redirect(address.url)


@may_read_model
@require_GET
def version(request: AppRequest, version: int) -> HttpResponse:
    """Show one version: its rules, and what they would do."""
    found = version_or_404(version)
    return show(request, found, read_address(version, request.GET))


@may_read_model
@require_GET
def test_leads(request: AppRequest, version: int) -> HttpResponse:
    """Find leads to try a version with."""
    address = read_address(version, request.GET)
    asked = request.GET.get("q", "")[:100]
    context = {
        "address": address,
        "asked": asked,
        "found": [
            (lead, address.at(lead=lead.pk)) for lead in found_leads(asked, viewer=request.user)
        ],
    }
    return render_page(
        request, "scoring/test_leads.html", context, partial="scoring/_test_leads.html"
    )


@may_read_model
@require_GET
def compare(request: AppRequest, version: int) -> HttpResponse:
    """Tell in sentences what a version changes of another one, by default the one in force."""
    found = version_or_404(version)
    asked = request.GET.get("with", "")
    in_force = published_model()
    former = ScoringModel.objects.filter(version=asked).first() if _is_version(asked) else in_force
    context = {
        "model": found,
        "former": former,
        "others": ScoringModel.objects.exclude(pk=found.pk)
        .defer("definition")
        .order_by("-version"),
        "changes": differences(former.definition, found.definition) if former else (),
    }
    return render(request, "scoring/compare.html", context)


def version_or_404(version: int) -> ScoringModel:
    """Return a version with the people behind it."""
    people = ("created_by", "changed_by", "approval_requested_by", "approved_by", "published_by")
    return get_object_or_404(ScoringModel.objects.select_related(*people), version=version)


def show(
    request: AppRequest,
    found: ScoringModel,
    address: EditorAddress,
    *,
    status: int = 200,
    focus: str = "",
    **rest: Any,
) -> HttpResponse:
    """Answer with the editor; htmx gets it without the frame.

    ``focus`` is the id of what gets the focus when the answer takes it away; by default the link
    to the form that was open.
    """
    here = request.htmx.current_url_abs_path or ""
    if not focus and not address.open:
        focus = read_address(found.version, QueryDict(urlsplit(here).query)).opener
    with fields.loaded_once():
        response = _rendered(request, found, address, status, focus, rest)
    if request.htmx and address.url != here:
        response["HX-Push-Url"] = address.url
    return response


def _rendered(
    request: AppRequest,
    found: ScoringModel,
    address: EditorAddress,
    status: int,
    focus: str,
    rest: dict[str, Any],
) -> HttpResponse:
    page = editor_page(found, address, viewer=request.user, now=timezone.now(), **rest)
    if page.owes_hits:
        _count_hits(found)
    return render_page(
        request,
        "scoring/model.html",
        {
            "page": page,
            "address": address,
            "focus": focus,
            "can_undo": can_undo(request.session, found) and page.may_edit,
        },
        partial="scoring/_editor.html",
        status=status,
    )


def _count_hits(model: ScoringModel) -> None:
    """Have the hits counted that are not known yet; without a broker the page goes without."""
    with suppress(OperationalError):
        count_rule_hits.apply_async(kwargs={"model_id": model.pk}, expires=60, retry=False)


def _is_version(text: str) -> bool:
    return text.isdecimal() and len(text) < 9

"""The BANT form beside the frozen brief: a draft that saves itself, one submit."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crm.accounts.forms import form_status
from crm.common.http import AppRequest, way_back
from handoff import services
from handoff.badges import clock_badge
from handoff.bant_form import BantForm
from handoff.definition import mql_cells
from handoff.enums import Verdict
from handoff.models import Handoff
from handoff.views.answering import OVERTAKEN, acts_on_handoff, after_answer


@login_required
@require_http_methods(["GET", "POST"])
@acts_on_handoff
def bant(request: AppRequest, handoff: Handoff) -> HttpResponse:
    """Show the form, or record answers, verdict and next step as one act."""
    if request.method == "GET":
        asked = request.GET.get("verdict", "")
        verdict = asked if asked in Verdict.values else ""
        return _page(request, handoff, BantForm(handoff=handoff, verdict=verdict))
    form = BantForm(request.POST, handoff=handoff)
    if not form.is_valid() or not _submit(request, handoff, form):
        return _page(request, handoff, form)
    return after_answer(request, handoff)


@login_required
@require_POST
def bant_save(request: AppRequest, handoff_id: int) -> HttpResponse:
    """Keep the draft as far as it can be read; answers with what is proposed now."""
    workable = Handoff.objects.workable_by(request.user).for_display()
    handoff = get_object_or_404(workable, pk=handoff_id)
    form = BantForm(request.POST, handoff=handoff)
    try:
        services.save_bant(
            handoff_id=handoff.pk, rep=request.user, fields=form.readable, now=timezone.now()
        )
    except OVERTAKEN as problem:
        return HttpResponse(str(problem), status=409)
    return render(request, "handoff/_bant_saved.html", {"form": BantForm(handoff=handoff)})


def _submit(request: AppRequest, handoff: Handoff, form: BantForm) -> bool:
    """Record the form; False when something is missing, which the form then says."""
    answer: dict[str, Any] = {
        "fields": form.cleaned_data,
        "rep": request.user,
        "now": timezone.now(),
    }
    try:
        recorded = services.submit_bant(handoff_id=handoff.pk, **answer)
    except services.BantIncomplete as problem:
        form.refuse(problem.problems)
        return False
    except OVERTAKEN as problem:
        messages.warning(request, str(problem))
        return True
    verdict = recorded.get_verdict_display()
    messages.success(request, f"{handoff.lead.display_name}: {verdict} is recorded.")
    return True


def _page(request: AppRequest, handoff: Handoff, form: BantForm) -> HttpResponse:
    now = timezone.now()
    clock = handoff.clocks.running().order_by("due_at").first()
    form.focus_first_error()
    context = {
        "handoff": handoff,
        "form": form,
        "brief": handoff.readable_brief,
        "badge": clock_badge(clock, handoff.calendar.hours, now=now) if clock else None,
        "touch": handoff.touches.order_by("-occurred_at").first(),
        "definition": mql_cells(),
        "back": way_back(request),
    }
    return render(request, "handoff/bant.html", context, status=form_status(form))

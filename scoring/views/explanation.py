"""How one score came about."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.common.http import AppRequest, render_page
from leads.models import Lead
from scoring.forms import AsOfForm
from scoring.panels import drawn, explained, why


@login_required
@require_GET
def score_explanation(request: AppRequest, lead_id: int) -> HttpResponse:
    """Explain the score of one lead, as of now or of the time asked for."""
    lead, form = _asked(request, lead_id)
    now = timezone.now()
    context = explained(lead, form=form, now=now)
    if context is None:
        raise Http404
    return render_page(
        request,
        "scoring/explanation.html",
        {"lead": lead, "why": why(lead, form=form, now=now), **context},
        partial="scoring/_score_panel.html",
        status=422 if form.errors else 200,
    )


@login_required
@require_GET
def score_course(request: AppRequest, lead_id: int) -> HttpResponse:
    """Answer htmx with the picture of a score over time; with nothing when there is none."""
    lead, form = _asked(request, lead_id)
    chart = drawn(lead, form=form, now=timezone.now())
    if chart is None:
        return HttpResponse()
    return render(request, "scoring/_decay_chart.html", {"chart": chart})


def _asked(request: AppRequest, lead_id: int) -> tuple[Lead, AsOfForm]:
    """Return the lead, if the person may see it, and the time as of which they ask."""
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=lead_id)
    return lead, AsOfForm(request.GET if "as_of" in request.GET else None)

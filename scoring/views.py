"""Pages of scoring."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.common.http import AppRequest, render_page
from leads.models import Lead
from scoring.forms import AsOfForm
from scoring.panels import explained


@login_required
@require_GET
def score_explanation(request: AppRequest, lead_id: int) -> HttpResponse:
    """Explain the score of one lead, as of now or of the time asked for."""
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=lead_id)
    form = AsOfForm(request.GET if "as_of" in request.GET else None)
    context = explained(lead, form=form, now=timezone.now())
    if context is None:
        raise Http404
    return render_page(
        request,
        "scoring/explanation.html",
        {"lead": lead, **context},
        partial="scoring/_score_panel.html",
        status=422 if form.errors else 200,
    )

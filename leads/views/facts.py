"""Facts of a lead, changed where they stand, and the history of their changes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from crm.accounts.forms import form_status, posted
from crm.common.http import AppRequest, render_page, wants_partial
from leads.fact_forms import FactForm, UnknownFact
from leads.fact_lines import known_of
from leads.history import history_of
from leads.models import Lead
from leads.views.changes import back_to, declared, write_lead
from leads.views.detail import find_lead, here_of


@login_required
@require_GET
def lead_facts(request: AppRequest, lead_id: int) -> HttpResponse:
    """Answer htmx with the facts as they are."""
    return _facts(request, find_lead(request, lead_id))


@login_required
@require_http_methods(["GET", "POST"])
def lead_fact(request: AppRequest, lead_id: int, name: str) -> HttpResponse:
    """Show one fact as a form in its place, or change it; without htmx it is the whole form."""
    lead = find_lead(request, lead_id)
    try:
        form = FactForm(posted(request), name=name, declared=declared(), lead=lead)
    except UnknownFact as problem:
        raise Http404 from problem
    if not wants_partial(request):
        return redirect(f"{reverse('leads:edit', args=[lead.pk])}#id_{next(iter(form.fields))}")
    if form.is_valid() and write_lead(request, form, lead):
        response = _facts(request, find_lead(request, lead_id), changed=name)
        response["HX-Retarget"] = "#facts"
        response["HX-Reswap"] = "outerHTML"
        response["HX-Trigger-After-Swap"] = "lead-changed"
        return response
    context = {"lead": lead, "form": form, "name": name}
    return render(request, "leads/_fact_form.html", context, status=form_status(form))


@login_required
@require_GET
def lead_history(request: AppRequest, lead_id: int) -> HttpResponse:
    """List what was changed of a lead: when, by whom, from what to what."""
    lead = find_lead(request, lead_id)
    context = {"lead": lead, "changes": history_of(lead.pk), "back": back_to(request, lead)}
    return render_page(request, "leads/lead_history.html", context)


def _facts(request: AppRequest, lead: Lead, *, changed: str = "") -> HttpResponse:
    """Answer with the facts as they are; the focus goes to the one that was ``changed``."""
    shown = known_of(lead, viewer=request.user)
    here = here_of(request, lead)
    context = {"lead": lead, "here": here, "now": timezone.now(), "changed": changed, **shown}
    return render(request, "leads/_lead_facts.html", context)

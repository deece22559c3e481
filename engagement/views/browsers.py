"""Confirming, detaching and restoring the identifications of a lead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crm.accounts.access import role_required
from crm.accounts.forms import form_status
from crm.common.http import AppRequest
from engagement import services
from engagement.browsers import LINK_ROLES, visitor_name
from engagement.link_forms import LinkActForm
from engagement.models import Event, VisitorLink
from leads.models import Lead


@dataclass(frozen=True)
class Act:
    """What may be done to an identification: its service and its words."""

    do: Callable[..., object]
    verb: str
    icon: str
    done: str


ACTS = {
    "confirm": Act(services.confirm_claim, "Confirm", "check", "is confirmed"),
    "detach": Act(services.detach_link, "Detach", "unlink", "is detached"),
    "dismiss": Act(services.dismiss_claim, "Dismiss", "x", "is dismissed"),
    "restore": Act(services.restore_link, "Restore", "rotate-ccw", "is restored"),
}


@role_required(*LINK_ROLES)
@require_http_methods(["GET", "POST"])
def link_act(request: AppRequest, lead_id: int, link_id: int, act: str) -> HttpResponse:
    """Ask whether an identification shall be changed and why, and change it."""
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=lead_id)
    link = get_object_or_404(lead.visitor_links.select_related("visitor"), pk=link_id)
    if act not in ACTS:
        raise Http404
    form = LinkActForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        _act(request, link, ACTS[act], words=form.cleaned_data["words"])
        return redirect("leads:detail", lead_id=lead.pk)
    context = {
        "lead": lead,
        "link": link,
        "name": visitor_name(link.visitor),
        "act": ACTS[act],
        "form": form,
        "events": Event.objects.filter(visitor=link.visitor_id, link=link.pk).count(),
    }
    return render(request, "engagement/link_act.html", context, status=form_status(form))


def _act(request: AppRequest, link: VisitorLink, act: Act, *, words: str) -> None:
    name = visitor_name(link.visitor).capitalize()
    try:
        act.do(link_id=link.pk, actor=request.user, now=timezone.now(), words=words)
    except services.LinkIsOtherwise as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"{name} {act.done}.")

"""What a person answers to a handoff: accept, refuse, log a touch, snooze, give it to somebody."""

from __future__ import annotations

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.http import AppRequest
from crm.common.once import act_once, form_key
from handoff import services
from handoff.forms import ReassignForm, RejectForm, SnoozeForm, TouchForm
from handoff.views.answering import Act, act_page, after_answer, workable_or_404

REJECT = Act("Refuse this lead", "Refuse", "undo-2")
LOG = Act("Log what happened", "Log", "phone")
SNOOZE = Act("Put aside", "Snooze", "alarm-clock-minus")
REASSIGN = Act("Give to somebody else", "Reassign", "arrow-left-right")

#: Why an act is not for this person, or not any more: said in words, nothing was changed.
OVERTAKEN = (
    services.CannotHold,
    services.HandoffTaken,
    services.HandoffClosed,
    services.HandoffNotOffered,
)


@login_required
@require_POST
def accept(request: AppRequest, handoff_id: int) -> HttpResponse:
    """Accept; the row stays open for the call, which a phone starts when asked to."""
    handoff = workable_or_404(request, handoff_id)
    try:
        services.accept_handoff(handoff_id=handoff_id, rep=request.user, now=timezone.now())
    except OVERTAKEN as problem:
        messages.warning(request, str(problem))
    response = after_answer(request, handoff, stays=True)
    if "call" in request.POST and handoff.lead.phone:
        response["HX-Trigger"] = json.dumps({"baton:dial": handoff.lead.phone})
    return response


@login_required
@require_http_methods(["GET", "POST"])
def reject(request: AppRequest, handoff_id: int) -> HttpResponse:
    """Refuse, with a reason."""
    handoff = workable_or_404(request, handoff_id)
    form = RejectForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return act_page(request, handoff, form, REJECT)
    answer = {**form.cleaned_data, "rep": request.user, "now": timezone.now()}
    try:
        services.reject_handoff(handoff_id=handoff_id, **answer)
    except OVERTAKEN as problem:
        messages.warning(request, str(problem))
    return after_answer(request, handoff)


@login_required
@require_http_methods(["GET", "POST"])
def log(request: AppRequest, handoff_id: int) -> HttpResponse:
    """Log a touch: one click for a call just made, a form for everything else."""
    handoff = workable_or_404(request, handoff_id)
    form = TouchForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return act_page(request, handoff, form, LOG)
    now = timezone.now()
    touch = form.touch(opened_at=handoff.opened_at, now=now)
    answer = {**touch, "rep": request.user, "now": now}
    try:
        act_once(services.log_touch, form_key(request), handoff_id=handoff_id, **answer)
    except services.EvidenceRefused as problem:
        form.add_error("occurred_at", str(problem))
        return act_page(request, handoff, form, LOG)
    except OVERTAKEN as problem:
        messages.warning(request, str(problem))
    return after_answer(request, handoff)


@login_required
@require_http_methods(["GET", "POST"])
def snooze(request: AppRequest, handoff_id: int) -> HttpResponse:
    """Put aside until the buyer's next move."""
    handoff = workable_or_404(request, handoff_id)
    form = SnoozeForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return act_page(request, handoff, form, SNOOZE)
    answer = {**form.cleaned_data, "rep": request.user, "now": timezone.now()}
    try:
        services.snooze_handoff(handoff_id=handoff_id, **answer)
    except services.SnoozeInvalid as problem:
        form.add_error(problem.field, str(problem))
        return act_page(request, handoff, form, SNOOZE)
    except OVERTAKEN as problem:
        messages.warning(request, str(problem))
    return after_answer(request, handoff)


@role_required(Role.MANAGER, Role.ADMIN)
@require_http_methods(["GET", "POST"])
def reassign(request: AppRequest, handoff_id: int) -> HttpResponse:
    """Give an open handoff to another rep."""
    handoff = workable_or_404(request, handoff_id)
    form = ReassignForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return act_page(request, handoff, form, REASSIGN)
    answer = {**form.cleaned_data, "actor": request.user, "now": timezone.now()}
    try:
        services.reassign_handoff(handoff_id=handoff_id, **answer)
    except services.CannotHold as problem:
        form.add_error("to", str(problem))
        return act_page(request, handoff, form, REASSIGN)
    except OVERTAKEN as problem:
        messages.warning(request, str(problem))
    return after_answer(request, handoff)

"""What a person answers to a handoff: accept, reject, log a touch, snooze, give it to somebody."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.http import AppRequest
from crm.common.once import act_once, form_key
from handoff import services
from handoff.forms import ReassignForm, RejectForm, SnoozeForm, TouchForm
from handoff.models import Handoff
from handoff.views.answering import Act, act_page, acts_on_handoff, after_answer, told

REJECT = Act("Reject this lead", "Reject", "undo-2")
LOG = Act("Log what happened", "Log", "phone")
SNOOZE = Act("Put aside", "Snooze", "alarm-clock-minus")
REASSIGN = Act("Give to somebody else", "Reassign", "arrow-left-right")


@login_required
@require_POST
@acts_on_handoff
def accept(request: AppRequest, handoff: Handoff) -> HttpResponse:
    """Accept; the row stays open for the call, which a phone starts when asked to."""
    with told(request, f"{handoff.lead.display_name} is accepted."):
        services.accept_handoff(handoff_id=handoff.pk, rep=request.user, now=timezone.now())
    response = after_answer(request, handoff, stays=True)
    if "call" in request.POST and handoff.lead.phone:
        response["HX-Trigger"] = json.dumps({"baton:dial": handoff.lead.phone})
    return response


@login_required
@require_http_methods(["GET", "POST"])
@acts_on_handoff
def reject(request: AppRequest, handoff: Handoff) -> HttpResponse:
    """Reject, with a reason."""
    form = RejectForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return act_page(request, handoff, form, REJECT)
    answer = {**form.cleaned_data, "rep": request.user, "now": timezone.now()}
    with told(request, f"{handoff.lead.display_name} is rejected: {answer['reason'].label}."):
        services.reject_handoff(handoff_id=handoff.pk, **answer)
    return after_answer(request, handoff)


@login_required
@require_http_methods(["GET", "POST"])
@acts_on_handoff
def log(request: AppRequest, handoff: Handoff) -> HttpResponse:
    """Log a touch: one click for a call just made, a form for everything else."""
    form = TouchForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return act_page(request, handoff, form, LOG)
    now = timezone.now()
    touch = form.touch(opened_at=handoff.opened_at, now=now)
    said = f"{touch['channel'].label}, {touch['outcome'].label}".lower()
    answer = {**touch, "rep": request.user, "now": now}
    try:
        with told(request, f"Logged for {handoff.lead.display_name}: {said}."):
            act_once(services.log_touch, form_key(request), handoff_id=handoff.pk, **answer)
    except services.EvidenceRefused as problem:
        form.add_error("occurred_at", str(problem))
        return act_page(request, handoff, form, LOG)
    return after_answer(request, handoff)


@login_required
@require_http_methods(["GET", "POST"])
@acts_on_handoff
def snooze(request: AppRequest, handoff: Handoff) -> HttpResponse:
    """Put aside until the buyer's next move."""
    form = SnoozeForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return act_page(request, handoff, form, SNOOZE)
    answer = {**form.cleaned_data, "rep": request.user, "now": timezone.now()}
    until = date_format(timezone.localtime(answer["until"]), "D j M H:i")
    try:
        with told(request, f"{handoff.lead.display_name} is put aside until {until}."):
            services.snooze_handoff(handoff_id=handoff.pk, **answer)
    except services.SnoozeInvalid as problem:
        form.add_error(problem.field, str(problem))
        return act_page(request, handoff, form, SNOOZE)
    return after_answer(request, handoff)


@role_required(Role.MANAGER, Role.ADMIN)
@require_http_methods(["GET", "POST"])
@acts_on_handoff
def reassign(request: AppRequest, handoff: Handoff) -> HttpResponse:
    """Give an open handoff to another rep."""
    form = ReassignForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return act_page(request, handoff, form, REASSIGN)
    answer = {**form.cleaned_data, "actor": request.user, "now": timezone.now()}
    try:
        with told(request, f"{handoff.lead.display_name} is given to {answer['to']}."):
            services.reassign_handoff(handoff_id=handoff.pk, **answer)
    except services.CannotHold as problem:
        form.add_error("to", str(problem))
        return act_page(request, handoff, form, REASSIGN)
    return after_answer(request, handoff)

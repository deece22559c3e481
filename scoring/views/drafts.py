"""The life of a draft: begun, asked about, approved, published, discarded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from crm.common.http import AppRequest
from crm.common.once import act_once, form_key
from scoring import services
from scoring.access import may_edit_model, may_read_model
from scoring.definition import DefinitionInvalid
from scoring.editor.forms import ScheduleForm
from scoring.models import ScoringModel
from scoring.views.editor import version_or_404

REFUSALS = (
    services.ApprovalRefused,
    services.DraftChanged,
    services.GateClosed,
    services.NotADraft,
    services.ScheduleRefused,
)
Act = Callable[[AppRequest, ScoringModel, datetime], str]


@may_edit_model
@require_POST
def draft_start(request: AppRequest) -> HttpResponse:
    """Begin a draft from the model in force."""
    made = act_once(services.start_draft, form_key(request), actor=request.user, now=timezone.now())
    return _to(ScoringModel.objects.get(pk=made))


@may_edit_model
@require_POST
def version_restore(request: AppRequest, version: int) -> HttpResponse:
    """Begin a draft from an old version."""
    old = version_or_404(version)
    made_id = act_once(
        services.restore,
        form_key(request),
        model_id=old.pk,
        actor=request.user,
        now=timezone.now(),
    )
    made = ScoringModel.objects.get(pk=made_id)
    messages.success(request, f"v{made.version} is a draft of what v{old.version} said.")
    return _to(made)


@may_read_model
@require_POST
def draft_judge(request: AppRequest, version: int, act: str) -> HttpResponse:
    """Approve a draft as the second person, or take that back."""
    return _acted(request, version, {"approve": _approve, "withdraw": _withdraw}.get(act))


@may_edit_model
@require_POST
def draft_act(request: AppRequest, version: int, act: str) -> HttpResponse:
    """Do what the button says: ask for approval, publish, set a time, discard."""
    return _acted(request, version, _ACTS.get(act))


def _acted(request: AppRequest, version: int, act: Act | None) -> HttpResponse:
    """Do an act and say so; a refusal says what to do instead."""
    if act is None:
        raise Http404
    model = version_or_404(version)
    try:
        messages.success(request, act(request, model, timezone.now()))
    except REFUSALS as refusal:
        messages.warning(request, str(refusal))
    except DefinitionInvalid as invalid:
        count = len(invalid.problems)
        faults = "a fault" if count == 1 else f"{count} faults"
        messages.warning(request, f"{model} has {faults}: mend what is marked in red first.")
    return _to(model)


def _request(request: AppRequest, model: ScoringModel, now: datetime) -> str:
    services.request_approval(
        model_id=model.pk, revision=_revision(request), actor=request.user, now=now
    )
    return f"The others were told that {model} waits for a second person."


def _approve(request: AppRequest, model: ScoringModel, now: datetime) -> str:
    services.approve(model_id=model.pk, revision=_revision(request), actor=request.user, now=now)
    return f"{model} is approved."


def _withdraw(request: AppRequest, model: ScoringModel, now: datetime) -> str:
    services.withdraw_approval(
        model_id=model.pk, revision=_revision(request), actor=request.user, now=now
    )
    return f"{model} is no longer approved."


def _publish(request: AppRequest, model: ScoringModel, now: datetime) -> str:
    services.publish(model_id=model.pk, revision=_revision(request), actor=request.user, now=now)
    return f"{model} is in force. All leads are scored anew in the background."


def _schedule(request: AppRequest, model: ScoringModel, now: datetime) -> str:
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        raise services.ScheduleRefused("Give a date and a time at which it shall come into force.")
    publish_at: datetime = form.cleaned_data["publish_at"]
    services.schedule(
        model_id=model.pk,
        revision=_revision(request),
        publish_at=publish_at,
        actor=request.user,
        now=now,
    )
    local = timezone.localtime(publish_at)
    return f"{model} comes into force on {local.day} {local:%B %Y at %H:%M}."


def _unschedule(request: AppRequest, model: ScoringModel, _now: datetime) -> str:
    services.unschedule(model_id=model.pk, revision=_revision(request))
    return f"{model} has no time to come into force any more."


def _discard(request: AppRequest, model: ScoringModel, now: datetime) -> str:
    services.discard_draft(model_id=model.pk, revision=_revision(request), now=now)
    return f"{model} is discarded. The history keeps it, and can restore it."


_ACTS: dict[str, Act] = {
    "request": _request,
    "publish": _publish,
    "schedule": _schedule,
    "unschedule": _unschedule,
    "discard": _discard,
}


def _revision(request: AppRequest) -> int:
    text: Any = request.POST.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def _to(model: ScoringModel) -> HttpResponse:
    return redirect("scoring:version", model.version)

"""The predictive score: trainings, what they found, and which one is shown."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from crm.common.http import AppRequest, render_page, wants_partial
from leads.models import Lead
from scoring.access import EDITOR_ROLES, may_edit_model, may_read_model
from scoring.cases import UnknownTarget
from scoring.forms import TrainingForm
from scoring.models import PredictiveModel
from scoring.predictive_page import training_page
from scoring.services.predicting import NotTrained, activate, deactivate, predict
from scoring.services.training import CannotTrain, can_train, start_training

_SHOWN_TRAININGS = 10


@may_read_model
@require_GET
def predictive(request: AppRequest, model_id: int | None = None) -> HttpResponse:
    """Show a training, by default the active one or else the latest, and the others.

    htmx is answered with the columns that tell less: few people look at them.
    """
    recent = PredictiveModel.objects.select_related("requested_by", "activated_by")
    shown = (
        get_object_or_404(recent, pk=model_id)
        if model_id
        else recent.order_by("-is_active", "-id").first()
    )
    page = training_page(shown) if shown and shown.is_trained else None
    if page and wants_partial(request):
        weaker = {"columns": page.others, "label": "What it looks at beside"}
        return render(request, "scoring/_predictive_levels.html", weaker)
    context = {
        "shown": shown,
        "page": page,
        "trainings": recent.order_by("-id")[:_SHOWN_TRAININGS],
        "under_way": recent.under_way().first(),
        "form": TrainingForm(initial={"target": shown.target if shown else "sql"}),
        "can_train": can_train(),
        "may_edit": request.user.has_role(*EDITOR_ROLES),
    }
    return render(request, "scoring/predictive.html", context)


@may_read_model
@require_GET
def predictive_progress(request: AppRequest, model_id: int) -> HttpResponse:
    """Answer htmx with how far a training is; once it is over, the page is loaded anew."""
    model = get_object_or_404(PredictiveModel, pk=model_id)
    if not wants_partial(request):
        return redirect("scoring:predictive_model", model.pk)
    response = render(request, "scoring/_predictive_progress.html", {"model": model})
    if not model.is_under_way:
        response["HX-Redirect"] = reverse("scoring:predictive_model", args=[model.pk])
    return response


@may_edit_model
@require_POST
def predictive_train(request: AppRequest) -> HttpResponse:
    """Ask for a training."""
    form = TrainingForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return redirect("scoring:predictive")
    try:
        model = start_training(**form.cleaned_data, actor=request.user, now=timezone.now())
    except (CannotTrain, UnknownTarget) as refusal:
        messages.error(request, str(refusal))
        return redirect("scoring:predictive")
    return redirect("scoring:predictive_model", model.pk)


@may_edit_model
@require_POST
def predictive_activate(request: AppRequest, model_id: int) -> HttpResponse:
    """Show the predictions of a training from now on."""
    model = get_object_or_404(PredictiveModel, pk=model_id)
    try:
        activate(model_id=model.pk, actor=request.user, now=timezone.now())
    except NotTrained as refusal:
        messages.error(request, str(refusal))
    return redirect("scoring:predictive_model", model.pk)


@may_edit_model
@require_POST
def predictive_deactivate(_request: AppRequest) -> HttpResponse:
    """Show no predictions any more."""
    deactivate()
    return redirect("scoring:predictive")


@login_required
@require_GET
def prediction(request: AppRequest, lead_id: int) -> HttpResponse:
    """Say what is predicted of one lead, and why; htmx puts it below the explanation."""
    lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=lead_id)
    context = {"lead": lead, "told": predict(lead=lead, now=timezone.now())}
    return render_page(
        request, "scoring/prediction.html", context, partial="scoring/_prediction.html"
    )

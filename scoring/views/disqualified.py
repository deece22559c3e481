"""The sample of disqualified leads: who was put out by a rule, and whether that was right."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from crm.common.http import AppRequest, wants_partial
from crm.common.paging import keyset_page
from leads.normalise import email_domain
from scoring.access import EDITOR_ROLES, may_edit_model, may_read_model
from scoring.enums import ReviewVerdict
from scoring.forms import ReviewForm
from scoring.models import DisqualificationReview
from scoring.services import (
    AlreadyReviewed,
    ReasonMissing,
    bring_back,
    confirm_disqualification,
    review_figures,
)


@may_read_model
@require_GET
def disqualified(request: AppRequest) -> HttpResponse:
    """List whom rules disqualified and nobody has reviewed, or the reviews of late."""
    is_done = request.GET.get("state") == "reviewed"
    reviews = _reviews().exclude(verdict="") if is_done else _reviews().filter(verdict="")
    ordering = ("-reviewed_at", "-id") if is_done else ("id",)
    page = keyset_page(reviews, ordering=ordering, cursor=request.GET.get("cursor"))
    context = {
        "page": page,
        "rows": [_row(request, review) for review in page.items],
        "figures": review_figures(),
        "is_done": is_done,
    }
    return render(request, "scoring/disqualified.html", context)


@may_edit_model
@require_POST
def review(request: AppRequest, review_id: int) -> HttpResponse:
    """Say that a disqualification was right, or bring the lead back; answers with the row."""
    review = get_object_or_404(_reviews(), pk=review_id)
    problem = _say(request, review_id)
    if not wants_partial(request):
        if problem:
            messages.warning(request, problem)
        return redirect("scoring:disqualified")
    review.refresh_from_db()
    row = {**_row(request, review), "problem": problem}
    context = {"row": row, "now": timezone.now()}
    return render(request, "scoring/_review_row.html", context, status=422 if problem else 200)


def _say(request: AppRequest, review_id: int) -> str:
    """Do what was said; return why that was not possible, if so."""
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return str(next(iter(form.errors.values()))[0])
    said, now = form.cleaned_data, timezone.now()
    try:
        if said["verdict"] == ReviewVerdict.BACK:
            bring_back(review_id=review_id, actor=request.user, reason=said["reason"], now=now)
        else:
            confirm_disqualification(review_id=review_id, actor=request.user, now=now)
    except (AlreadyReviewed, ReasonMissing) as refused:
        return str(refused)
    return ""


def _reviews() -> QuerySet[DisqualificationReview]:
    return DisqualificationReview.objects.select_related("change__lead", "reviewed_by")


def _row(request: AppRequest, review: DisqualificationReview) -> dict[str, object]:
    lead = review.change.lead
    return {
        "review": review,
        "change": review.change,
        "lead": lead,
        "domain": email_domain(lead.email),
        "may_review": request.user.has_role(*EDITOR_ROLES) and not review.verdict,
    }

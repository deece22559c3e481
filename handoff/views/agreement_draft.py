"""Changing the draft of the agreement: its promises, and its tiers one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.forms import form_status, posted
from crm.common.criteria import CriteriaInvalid
from crm.common.http import AppRequest, render_page
from handoff import services
from handoff.agreement_diff import who_fits
from handoff.agreement_forms import PromisesForm, TierForm
from handoff.bant import policy_sentence
from handoff.models import Agreement
from handoff.services import TierTerms
from handoff.services.terms import tiers_of
from handoff.views.agreement import DRAFTERS

_MOVES = {"up": -1, "down": 1}


@role_required(*DRAFTERS)
@require_POST
def draft_next(request: AppRequest) -> HttpResponse:
    """Draft the next version, and open it for changes."""
    try:
        draft = services.draft_next(now=timezone.now())
    except services.AgreementInvalid as problem:
        messages.warning(request, str(problem))
        return redirect("handoff:agreement")
    return redirect("handoff:agreement_edit", draft.version)


@role_required(*DRAFTERS)
@require_http_methods(["GET", "POST"])
def edit(request: AppRequest, version: int) -> HttpResponse:
    """Show the draft's promises as a form, and its tiers in order."""
    draft = draft_of(version)
    form = PromisesForm(posted(request), initial=PromisesForm.initial_of(draft))
    if form.is_valid() and revise(request, draft, form, **form.arguments()):
        messages.success(request, f"{draft} says so now.")
        return redirect("handoff:agreement_edit", version)
    return _page(request, draft, form)


@role_required(*DRAFTERS)
@require_http_methods(["GET", "POST"])
def tier(request: AppRequest, version: int, position: int = 0) -> HttpResponse:
    """Show one tier as a form; without a position a new one."""
    draft = draft_of(version)
    tiers = tiers_of(draft)
    if position > len(tiers):
        raise Http404
    form = TierForm(posted(request), terms=tiers[position - 1] if position else None)
    is_done = "criteria_do" not in request.POST and form.is_valid()
    if is_done and revise(request, draft, form, tiers=_with(tiers, position, form.terms())):
        return redirect(f"{reverse('handoff:agreement_edit', args=[version])}#tiers")
    context = {"draft": draft, "form": form, "position": position}
    return render_page(request, "handoff/agreement_tier.html", context, status=form_status(form))


@role_required(*DRAFTERS)
@require_POST
def tier_move(request: AppRequest, version: int, position: int, way: str) -> HttpResponse:
    """Move a tier up or down, or remove it."""
    draft = draft_of(version)
    tiers = tiers_of(draft)
    if not 0 < position <= len(tiers) or way not in (*_MOVES, "out"):
        raise Http404
    moved = tiers.pop(position - 1)
    if way in _MOVES:
        tiers.insert(max(position - 1 + _MOVES[way], 0), moved)
    if not revise(request, draft, None, tiers=tiers):
        return redirect("handoff:agreement_edit", version)
    return redirect(f"{reverse('handoff:agreement_edit', args=[version])}#tiers")


def draft_of(version: int) -> Agreement:
    """Return a version that is still a draft."""
    drafts = Agreement.objects.waiting().select_related("scoring_model")
    return get_object_or_404(drafts, version=version)


def revise(request: AppRequest, draft: Agreement, form: Form | None, **changes: Any) -> bool:
    """Let the service change the draft; what it refuses is said on the form, or on the next page.

    The revision that was read travels with the page.
    """
    read = request.POST.get("revision", "")
    tell: Callable[[str], Any] = (
        (lambda words: form.add_error(None, words))
        if form
        else (lambda words: messages.warning(request, words))
    )
    try:
        services.revise_draft(
            agreement_id=draft.pk,
            revision=int(read) if read.isdecimal() and len(read) < 10 else 0,
            now=timezone.now(),
            **changes,
        )
    except (services.AgreementInvalid, CriteriaInvalid) as problem:
        tell(str(problem))
        return False
    return True


def _with(tiers: list[TierTerms], position: int, terms: TierTerms) -> list[TierTerms]:
    """Return the tiers with one changed; a new one goes before the one that takes the rest."""
    if position:
        return [*tiers[: position - 1], terms, *tiers[position:]]
    is_last = terms.takes_all or not tiers or not tiers[-1].takes_all
    return [*tiers, terms] if is_last else [*tiers[:-1], terms, tiers[-1]]


def _page(request: AppRequest, draft: Agreement, form: PromisesForm) -> HttpResponse:
    tiers = tiers_of(draft)
    context = {
        "draft": draft,
        "form": form,
        "policy": policy_sentence(draft.policy),
        "tiers": [(terms, who_fits(terms)) for terms in tiers],
    }
    return render_page(request, "handoff/agreement_edit.html", context, status=form_status(form))

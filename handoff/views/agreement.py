"""The agreement as a document, its history, and its signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.http import AppRequest, render_page
from crm.common.paging import estimate_count
from handoff import services
from handoff.agreement_diff import changes_between, who_fits
from handoff.bant import policy_sentence
from handoff.enums import AgreementState, ClockKind, Side
from handoff.forms import SignForm
from handoff.models import Agreement, Handoff, SlaTier, WorkCalendar
from handoff.policy import Targets, default_targets
from handoff.services.terms import owners_of, tier_terms
from handoff.slots import agreement_notes
from handoff.views.answering import row_asked_for
from scoring.definition import parse_definition
from scoring.models import ScoringModel
from scoring.services import NotADraft, definition_of, published_model

DRAFTERS = (Role.MARKETER, Role.MANAGER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class TierLine:
    """One row of the table of response times."""

    name: str
    who: str
    accept: Any
    first_touch: Any
    verdict: Any


@dataclass(frozen=True, slots=True)
class SideLine:
    """One side of a version that waits: who signed when, or whether the viewer may."""

    side: Side
    signer: User | None
    signed_at: datetime | None
    may_sign: bool


@login_required
@require_GET
def agreement(request: AppRequest) -> HttpResponse:
    """Show the version in force, or the one asked for; without any, the default policy."""
    version = row_asked_for(request.GET, "version")
    readable = Agreement.objects.readable_by(request.user)
    in_force = readable.in_force(timezone.now())
    shown = (readable.filter(version=version) if version else in_force).first()
    if shown is not None:
        return _page(request, shown)
    if version:
        raise Http404
    context = {"tiers": _default_tiers(), "may_draft": request.user.has_role(*DRAFTERS)}
    return render_page(request, "handoff/no_agreement.html", context)


@role_required(Role.MARKETER, Role.ADMIN)
@require_POST
def draft(request: AppRequest, model_id: int) -> HttpResponse:
    """Draft the next version with the MQL definition of an approved draft of the model."""
    get_object_or_404(ScoringModel, pk=model_id)
    try:
        drafted = services.draft_for_model(
            model_id=model_id, actor=request.user, now=timezone.now()
        )
    except (services.AgreementInvalid, NotADraft) as refusal:
        messages.warning(request, str(refusal))
        return redirect("scoring:model")
    return redirect(f"{reverse('handoff:agreement')}?version={drafted.version}")


@role_required(Role.MARKETER, Role.MANAGER)
@require_POST
def sign(request: AppRequest, version: int) -> HttpResponse:
    """Sign a version that waits, for the side of the signer."""
    drafted = get_object_or_404(Agreement, state=AgreementState.DRAFT, version=version)
    form = SignForm(request.POST)
    if not form.is_valid():
        return _refused(request, drafted, "Say for which side you sign, and on the text as it is.")
    try:
        services.sign_agreement(
            agreement_id=drafted.pk, signer=request.user, now=timezone.now(), **form.cleaned_data
        )
    except services.SignatureRefused as refusal:
        return _refused(request, drafted, str(refusal))
    messages.success(request, f"You signed {drafted}.")
    return redirect(f"{reverse('handoff:agreement')}?version={version}")


def _refused(request: AppRequest, drafted: Agreement, why: str) -> HttpResponse:
    """Tell why a signature was refused: on its page, or beside what is in force if that is void."""
    if Agreement.objects.waiting().filter(pk=drafted.pk).exists():
        return _page(request, drafted, problem=why)
    messages.warning(request, why)
    return redirect("handoff:agreement")


def _page(request: AppRequest, shown: Agreement, *, problem: str = "") -> HttpResponse:
    """Show a version; with a ``problem`` it is the answer to a signature that was refused."""
    beside = {
        "sides": [] if shown.state != AgreementState.DRAFT else _sides(shown, request.user),
        "changes": _changes(request, shown),
        "may_edit": _may_edit(shown, request.user),
        "may_draft": request.user.has_role(*DRAFTERS),
        "may_rebase": request.user.has_role(Role.MANAGER, Role.ADMIN),
        "in_force": published_model(),
        "versions": Agreement.objects.readable_by(request.user).order_by("-version"),
        "problem": problem,
        "notes": _notes(shown, request.user),
    }
    context = {**_document(shown), **beside}
    return render_page(request, "handoff/agreement.html", context, status=422 if problem else 200)


def _notes(shown: Agreement, viewer: User) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what upper floors say beside the text, each with its template."""
    now = timezone.now()
    loaded = [(each.template, each.load(shown, viewer, now)) for each in agreement_notes]
    return [(template, context) for template, context in loaded if context is not None]


def _changes(request: AppRequest, shown: Agreement) -> tuple[Agreement, list[str]] | None:
    """Return what the text says otherwise than the version asked for, else the one before it."""
    readable = Agreement.objects.readable_by(request.user)
    against = row_asked_for(request.GET, "against")
    signed = readable.signed().filter(version__lt=shown.version).order_by("-version")
    other = readable.filter(version=against).first() if against else signed.first()
    return (other, changes_between(other, shown)) if other and other != shown else None


def _may_edit(shown: Agreement, viewer: User) -> bool:
    is_open = shown.state == AgreementState.DRAFT and not (
        shown.signed_by_marketing_id or shown.signed_by_sales_id
    )
    return is_open and viewer.has_role(*DRAFTERS)


def _sides(shown: Agreement, viewer: User) -> list[SideLine]:
    """Return who signed, and where the viewer can; nobody signs for both sides."""
    signers = {
        Side.MARKETING: (shown.signed_by_marketing, shown.marketing_signed_at, Role.MARKETER),
        Side.SALES: (shown.signed_by_sales, shown.sales_signed_at, Role.MANAGER),
    }
    has_signed = viewer in {signer for signer, _, _ in signers.values()}
    return [
        SideLine(side, signer, at, not signer and not has_signed and viewer.has_role(role))
        for side, (signer, at, role) in signers.items()
    ]


def _document(shown: Agreement) -> dict[str, Any]:
    """Return everything that the document says."""
    model = shown.scoring_model
    definition = (
        definition_of(model)
        if model.published_at
        else parse_definition(model.definition, was_valid=True)
    )
    return {
        "agreement": shown,
        "owners": {what.value: who for what, who in owners_of(shown).items()},
        "enforcement": shown.enforcement,
        "policy": policy_sentence(shown.policy),
        "tiers": [_tier_line(tier) for tier in shown.tiers.order_by("position")],
        "cells": sorted(definition.cells),
        "definition": definition.cells,
        "buying_acts": [_lower(act.kind.label) for act in definition.fast_track],
        "blocking": [condition.label for condition in definition.blocking],
        "pinned": estimate_count(Handoff.objects.filter(agreement=shown)),
        "calendars": WorkCalendar.objects.current().count(),
    }


def _lower(words: str) -> str:
    return f"{words[:1].lower()}{words[1:]}"


def _tier_line(tier: SlaTier) -> TierLine:
    targets = {kind: getattr(tier, SlaTier.TARGETS[kind]) for kind in ClockKind}
    return _line(tier.name, who_fits(tier_terms(tier)), targets)


def _default_tiers() -> list[TierLine]:
    return [
        _line("1", "Buying acts", default_targets(is_fast_track=True)),
        _line("2", "Every other MQL", default_targets(is_fast_track=False)),
    ]


def _line(name: str, who: str, targets: Targets) -> TierLine:
    return TierLine(
        name=name,
        who=who,
        accept=targets[ClockKind.ACCEPT],
        first_touch=targets[ClockKind.FIRST_TOUCH],
        verdict=targets[ClockKind.VERDICT],
    )

"""Pages of two leads that are one person: comparing, merging, what came of it, taking it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.models import User
from crm.common.http import AppRequest
from crm.common.slots import timeline_sources
from leads import services
from leads.history import merged_facts
from leads.list_address import read_address
from leads.merging import MERGE_ROLES, differences, fingerprint
from leads.models import Lead, LeadMerge
from leads.timeline import Day, by_day, merge
from leads.views.bulk import ticked
from leads.views.detail import find_lead

#: Lines of the merged lead's own history that its merge shows. Our choice: its acts have moved.
_MOST_LINES = 100
_PAIR = 2
may_merge = role_required(*MERGE_ROLES)


@may_merge
@require_GET
def merge_two(request: AppRequest) -> HttpResponse:
    """Go on to comparing the two ticked leads, the one to keep first."""
    chosen = set(ticked(request.GET.getlist("ids")))
    if len(chosen) != _PAIR or request.GET.get("scope") == "all":
        messages.warning(request, "Tick exactly two leads to merge them.")
        address = read_address(request.GET, user=request.user)
        return redirect(f"{reverse('leads:list')}?{address.query}")
    survivor, merged = services.propose(*(find_lead(request, pk) for pk in sorted(chosen)))
    return redirect("leads:merge_compare", survivor.pk, merged.pk)


@may_merge
@require_http_methods(["GET", "POST"])
def merge_compare(request: AppRequest, lead_id: int, other_id: int) -> HttpResponse:
    """Show two leads side by side, and merge the second into the first."""
    if Lead.objects.filter(pk=other_id, merged_into=lead_id).exists():
        return redirect("leads:detail", lead_id)
    survivor, merged = find_lead(request, lead_id), find_lead(request, other_id)
    problem = ""
    if request.method == "POST":
        try:
            made = _merge(request, survivor, merged)
        except services.MergeChanged:
            problem = "Somebody changed a fact meanwhile: these are the present ones."
        except services.MergeRefused as refusal:
            problem = str(refusal)
        else:
            messages.success(request, f"{merged} is merged into {survivor}. It can be taken back.")
            return redirect("leads:merge", made.pk)
    context = _compared(survivor, merged, problem)
    return render(request, "leads/merge_compare.html", context, status=422 if problem else 200)


@login_required
@require_GET
def lead_merge(request: AppRequest, merge_id: int) -> HttpResponse:
    """Show what a merge brought together, and what the merged lead was."""
    return _show(request, _find(request, merge_id))


@may_merge
@require_POST
def merge_undo(request: AppRequest, merge_id: int) -> HttpResponse:
    """Take a merge back; a refusal is said on its page."""
    found = _find(request, merge_id)
    try:
        services.undo_merge(merge_id=found.pk, actor=request.user, now=timezone.now())
    except services.MergeRefused as refusal:
        return _show(request, found, problem=str(refusal))
    messages.success(request, f"{found.merged} is a lead of its own again.")
    return redirect("leads:detail", found.merged_id)


def _merge(request: AppRequest, survivor: Lead, merged: Lead) -> LeadMerge:
    return services.merge_leads(
        survivor_id=survivor.pk,
        merged_id=merged.pk,
        actor=request.user,
        now=timezone.now(),
        take=[request.POST[name] for name in request.POST if name.startswith("keep_")],
        seen=request.POST.get("seen", ""),
    )


def _compared(survivor: Lead, merged: Lead, problem: str) -> dict[str, Any]:
    found = differences(survivor, merged)
    objections = services.objections(survivor, merged)
    can_swap = bool(objections) and not services.objections(merged, survivor)
    return {
        "survivor": survivor,
        "merged": merged,
        "differences": found,
        "seen": fingerprint(found),
        "consequences": services.consequences(survivor, merged),
        "told": services.told(survivor, merged),
        "problem": problem or next(iter(objections), ""),
        "may_merge": not objections,
        "should_swap": can_swap,
    }


def _show(request: AppRequest, found: LeadMerge, *, problem: str = "") -> HttpResponse:
    context = {
        "merge": found,
        "facts": merged_facts(found.facts),
        "days": _former_days(found.merged_id, viewer=request.user),
        "problem": problem,
        "may_undo": not found.undone_at and request.user.has_role(*MERGE_ROLES),
    }
    return render(request, "leads/merge.html", context, status=422 if problem else 200)


def _find(request: AppRequest, merge_id: int) -> LeadMerge:
    """Return the merge if the person may see the lead that it led to."""
    merges = LeadMerge.objects.select_related("survivor", "merged", "merged_by", "undone_by")
    found = get_object_or_404(merges, pk=merge_id)
    visible = Lead.objects.visible_to(request.user)
    if not visible.filter(pk=found.survivor.standing_id).exists():
        raise Http404
    return found


def _former_days(lead_id: int, *, viewer: User) -> list[Day]:
    """Return what stays with the merged lead: its stages, deals, handoffs."""
    given = [source.load(lead_id, viewer, None, _MOST_LINES + 1) for source in timeline_sources]
    entries = merge(given, size=_MOST_LINES).entries
    return by_day(entries, now=timezone.now(), zone=timezone.get_current_timezone())

"""Keeping lists as views: save, save as, rename, share, delete, and what each role begins with."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.http import AppRequest, wants_partial
from crm.common.slots import lead_views
from leads.list_address import read_address
from leads.models import DefaultView, KeptView
from leads.saved_views import EVERYTHING, may_write, shipped_first, views_of
from leads.services.views import (
    TEAM_ROLES,
    ViewRefused,
    delete_view,
    keep_view,
    make_default,
    pin_view,
    rename_view,
    reshape_view,
    roles_led_by,
    unpin_view,
)


@login_required
@require_GET
def saved_views(request: AppRequest) -> HttpResponse:
    """List the views that one may open, the pinned ones first, and what each role begins with."""
    offered = views_of(request.user)
    views = [(view, may_write(request.user, view)) for view in offered]
    team = [view for view in offered if view.kept and view.kept.is_team]
    first = {each.role: each.code for each in DefaultView.objects.all()}
    led = [
        (role, first.get(role) or shipped_first(role), _choices(role, team))
        for role in roles_led_by(request.user)
    ]
    context = {"views": views, "led": led, "may_share": request.user.has_role(*TEAM_ROLES)}
    return render(request, "leads/saved_views.html", context)


@login_required
@require_POST
def view_keep(request: AppRequest) -> HttpResponse:
    """Keep the list under a new name, and open it."""
    address = read_address(request.POST, user=request.user)
    name, is_team = request.POST.get("name", ""), "is_team" in request.POST
    said = {"address": address, "name": name, "is_team": is_team}
    if address.problems:
        return _refused(request, address.problems[0], said)
    try:
        kept = keep_view(
            owner=request.user, name=name, is_team=is_team, shape=address.shape, now=timezone.now()
        )
    except ViewRefused as refusal:
        return _refused(request, str(refusal), said)
    messages.success(request, f"The view “{kept}” is kept.")
    return _open(request, str(kept.pk))


@login_required
@require_POST
def view_reshape(request: AppRequest, view_id: int) -> HttpResponse:
    """Let a kept view be what the list shows now."""
    address = read_address(request.POST, user=request.user)
    if address.problems:
        messages.error(request, address.problems[0])
        return _open(request, str(view_id))
    try:
        kept = reshape_view(view_id=view_id, actor=request.user, shape=address.shape)
    except KeptView.DoesNotExist:
        raise Http404 from None
    except ViewRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The view “{kept}” is saved.")
    return _open(request, str(view_id))


@login_required
@require_POST
def view_rename(request: AppRequest, view_id: int) -> HttpResponse:
    """Give a kept view another name, share it or take it back."""
    name, is_team = request.POST.get("name", ""), "is_team" in request.POST
    try:
        kept = rename_view(view_id=view_id, actor=request.user, name=name, is_team=is_team)
    except KeptView.DoesNotExist:
        raise Http404 from None
    except ViewRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The view “{kept}” is saved.")
    return redirect("leads:views")


@login_required
@require_POST
def view_delete(request: AppRequest, view_id: int) -> HttpResponse:
    """Forget a kept view."""
    try:
        delete_view(view_id=view_id, actor=request.user)
    except KeptView.DoesNotExist:
        raise Http404 from None
    except ViewRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The view is deleted. Its leads are as they were.")
    return redirect("leads:views")


@login_required
@require_POST
def view_pin(request: AppRequest) -> HttpResponse:
    """Let a view stand among the first, or no longer."""
    code = request.POST.get("view", "")
    if not _is_offered(request, code):
        raise Http404
    if "pinned" in request.POST:
        pin_view(owner=request.user, **_named(code), now=timezone.now())
    else:
        unpin_view(owner=request.user, **_named(code))
    return redirect("leads:views")


@role_required(*TEAM_ROLES)
@require_POST
def view_first(request: AppRequest) -> HttpResponse:
    """Say what people of a role begin with."""
    role, code = request.POST.get("role", ""), request.POST.get("view", "")
    if role not in Role.values or not _is_offered(request, code):
        raise Http404
    try:
        make_default(role=Role(role), actor=request.user, **_named(code))
    except ViewRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{Role(role).label}s begin with this view now.")
    return redirect("leads:views")


def _named(code: str) -> dict[str, Any]:
    """Return how services name the view of a code that is offered."""
    return {"kept_id": int(code)} if code.isdecimal() else {"shipped": code}


def _is_offered(request: AppRequest, code: str) -> bool:
    return code in {view.name for view in [*lead_views, *views_of(request.user)]}


def _choices(role: Role, team: list[Any]) -> list[Any]:
    """Return the views that people of ``role`` can begin with."""
    return [view for view in lead_views if not view.roles or role in view.roles] + team


def _refused(request: AppRequest, problem: str, said: dict[str, Any]) -> HttpResponse:
    """Show the form again with what is wrong; without htmx the list with a message."""
    if wants_partial(request):
        said |= {"problem": problem, "may_share": request.user.has_role(*TEAM_ROLES)}
        return render(request, "leads/_view_form.html", said, status=422)
    messages.error(request, problem)
    return redirect(f"{reverse('leads:list')}?{said['address'].query}&open=save")


def _open(request: AppRequest, code: str) -> HttpResponse:
    """Open a view; htmx loads the whole page, as its tabs changed."""
    offered = {view.name for view in views_of(request.user)}
    target = f"{reverse('leads:list')}?view={code if code in offered else EVERYTHING}"
    return HttpResponseClientRedirect(target) if wants_partial(request) else redirect(target)

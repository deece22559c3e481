"""Measuring what is open by the agreement in force, after a preview of what that changes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.http import AppRequest, render_page
from handoff import services
from handoff.models import Agreement
from handoff.views.answering import row_asked_for


@role_required(Role.MANAGER, Role.ADMIN)
@require_http_methods(["GET", "POST"])
def rebase(request: AppRequest) -> HttpResponse:
    """Show which deadlines would move, and move them when asked to."""
    now = timezone.now()
    if request.method == "POST":
        return _moved(request)
    agreement = Agreement.objects.in_force(now).first()
    context = {
        "agreement": agreement,
        "rebases": services.preview_rebase(agreement, now=now) if agreement else [],
        "number": services.to_rebase(agreement).figure() if agreement else "",
    }
    return render_page(request, "handoff/rebase.html", context)


def _moved(request: AppRequest) -> HttpResponse:
    version = row_asked_for(request.POST, "version") or 0
    try:
        changed = services.rebase_handoffs(version=version, actor=request.user, now=timezone.now())
    except services.RebaseRefused as problem:
        messages.warning(request, str(problem))
    else:
        messages.success(request, f"{changed} open handoffs are measured by version {version} now.")
    return redirect("handoff:rebase")

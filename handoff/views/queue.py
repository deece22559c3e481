"""The work queue of a rep."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.http import AppRequest
from handoff import services
from handoff.views.answering import queue_page, row_asked_for


@role_required(Role.REP)
@never_cache
@require_GET
def queue(request: AppRequest) -> HttpResponse:
    """Show the queue with one row opened: the one asked for, else the most urgent."""
    opened, answered = (row_asked_for(request.GET, name) for name in ("open", "answered"))
    return queue_page(request, opened=opened, answered=answered)


@role_required(Role.REP)
@require_POST
def take(request: AppRequest) -> HttpResponse:
    """Take the longest waiting handoff of the own pool and show it opened."""
    taken = services.take_from_pool(rep=request.user, now=timezone.now())
    if taken is None:
        messages.info(request, "The pool is empty: somebody else took the last one.")
        return redirect("handoff:queue")
    messages.success(request, f"{taken.lead.display_name} is yours, taken from the pool.")
    return redirect(f"{reverse('handoff:queue')}?open={taken.pk}")

"""The pages of a rep's own numbers."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.http import AppRequest
from crm.reports import pages
from crm.reports.own import own_numbers
from crm.reports.questions import QuestionInvalid, own_question
from crm.reports.views import agreement_of, counted_handoffs, goal_of, refused
from handoff.models import Handoff

_PERIOD = ("period", "from", "to")


def _period_of(request: AppRequest) -> dict[str, str]:
    """Return what the address says of the period: all else of the page is given."""
    return {name: request.GET[name] for name in _PERIOD if name in request.GET}


@role_required(Role.REP)
@require_GET
def own_page(request: AppRequest) -> HttpResponse:
    """Show a rep what they made of what they answer for, beside the team and what was agreed."""
    now = timezone.now()
    try:
        question = own_question(_period_of(request), request.user, now=now)
    except QuestionInvalid as error:
        return refused(request, error)
    agreement = agreement_of(question, now)
    goal = goal_of(question.kind, agreement)
    context = {
        "question": question,
        "periods": pages.period_links(reverse("reports:own"), question),
        "agreement": agreement,
        "numbers": own_numbers(question, request.user, agreement=agreement, goal=goal, now=now),
    }
    return render(request, "reports/own.html", context)


@role_required(Role.REP)
@require_GET
def own_handoffs(request: AppRequest) -> HttpResponse:
    """List exactly the handoffs that one of a rep's numbers counts; others' are not named."""
    now = timezone.now()
    try:
        question = own_question(request.GET, request.user, now=now)
    except QuestionInvalid as error:
        return refused(request, error)
    shown = counted_handoffs(request, question, now)
    visible = Handoff.objects.visible_to(request.user).filter(clocks__in=shown["page"].items)
    context = {
        **shown,
        "hides_others": True,
        "visible": set(visible.values_list("pk", flat=True)),
        "report_label": "My numbers",
        "report_url": f"{reverse('reports:own')}?{question.whole_query}",
    }
    return render(request, "reports/counted_handoffs.html", context)

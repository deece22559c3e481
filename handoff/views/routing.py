"""Routing: the rules in order, the reps with their load, and the dry run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.accounts.forms import form_status, posted
from crm.accounts.models import User
from crm.common.criteria import CriteriaInvalid, parse, sentence
from crm.common.http import AppRequest, render_page
from handoff import services
from handoff.calendar_forms import RepForm
from handoff.dry_run import dry_run
from handoff.models import Handoff, RepProfile, RoutingRule, WorkCalendar
from handoff.routing_forms import RuleForm

_LEADERS = (Role.MANAGER, Role.ADMIN)
_MOVES = {"up": -1, "down": 1}
_SHOWN = 50


@role_required(*_LEADERS)
@require_GET
def routing(request: AppRequest) -> HttpResponse:
    """Show the rules in the order in which they are tried, and who can be given work."""
    rules = RoutingRule.objects.select_related("team", "rep", "fallback").order_by("position")
    reps = User.objects.reps().filter(sales_team__isnull=False).select_related("rep_profile")
    held = Handoff.objects.open().filter(holder=OuterRef("pk")).order_by().values("holder")
    loaded = reps.annotate(load=Coalesce(Subquery(held.values(number=Count("pk"))), 0))
    context = {
        "rules": [(rule, _asks(rule)) for rule in rules],
        "reps": loaded.select_related("sales_team").order_by("sales_team__name", "full_name", "id"),
        "newcomer": RepProfile(),
    }
    return render_page(request, "handoff/routing.html", context)


@role_required(*_LEADERS)
@require_http_methods(["GET", "POST"])
def rule(request: AppRequest, rule_id: int = 0) -> HttpResponse:
    """Show one rule as a form; without an id a new one."""
    found = get_object_or_404(RoutingRule, pk=rule_id) if rule_id else None
    form = RuleForm(posted(request), rule=found)
    is_done = "criteria_do" not in request.POST and form.is_valid()
    if is_done and _saved(form, found):
        messages.success(request, "Saved. A dry run shows what the rules would have done.")
        return redirect("handoff:routing")
    context = {"form": form, "rule": found}
    return render_page(request, "handoff/routing_rule.html", context, status=form_status(form))


@role_required(*_LEADERS)
@require_POST
def rule_move(request: AppRequest, rule_id: int, way: str) -> HttpResponse:
    """Move a rule up or down, or take it out."""
    get_object_or_404(RoutingRule, pk=rule_id)
    try:
        if way == "out":
            services.remove_routing_rule(rule_id=rule_id)
        elif way in _MOVES:
            services.move_routing_rule(rule_id=rule_id, by=_MOVES[way])
        else:
            raise Http404
    except services.RoutingInvalid as problem:
        messages.warning(request, str(problem))
    return redirect("handoff:routing")


@role_required(*_LEADERS)
@require_GET
def dry_run_page(request: AppRequest) -> HttpResponse:
    """Show who would have got the handoffs of the last 30 days, beside who got them."""
    tries_all = request.GET.get("all") == "1"
    found = dry_run(now=timezone.now(), with_inactive=tries_all)
    context = {"run": found, "differing": found.differing[:_SHOWN], "tries_all": tries_all}
    return render_page(request, "handoff/dry_run.html", context)


@role_required(*_LEADERS)
@require_http_methods(["GET", "POST"])
def rep(request: AppRequest, user_id: int) -> HttpResponse:
    """Change weight, cap and absence of a rep."""
    person = get_object_or_404(User.objects.reps(), pk=user_id)
    profile = RepProfile.objects.filter(user=person).first() or RepProfile(user=person)
    form = RepForm(posted(request), initial=RepForm.initial_of(profile))
    if form.is_valid():
        services.change_rep(user_id=person.pk, **form.cleaned_data)
        messages.success(request, f"Routing knows it of {person} from now on.")
        return redirect("handoff:routing")
    calendar = WorkCalendar.objects.measuring(person.sales_team, person)
    context = {"form": form, "person": person, "calendar": calendar}
    return render_page(request, "handoff/rep.html", context, status=form_status(form))


def _saved(form: RuleForm, found: RoutingRule | None) -> bool:
    """Let the service write the rule; what it refuses is said on the form."""
    try:
        if found is None:
            services.add_routing_rule(**form.arguments())
        else:
            services.change_routing_rule(rule_id=found.pk, **form.arguments())
    except (services.RoutingInvalid, CriteriaInvalid) as problem:
        form.add_error(None, str(problem))
        return False
    return True


def _asks(found: RoutingRule) -> dict[str, Any]:
    """Return what a rule asks for, in words, and whether it can be followed."""
    try:
        words, problem = sentence(parse(found.criteria)), ""
    except CriteriaInvalid:
        words, problem = "", "Its criteria cannot be read any more: it fits nobody."
    if found.rep is not None and not found.rep.is_active:
        problem = f"{found.rep} has left: choose somebody else."
    return {"words": words, "problem": problem}

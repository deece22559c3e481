"""For admins: the sales teams."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from crm.accounts import services
from crm.accounts.access import AppRequest, role_required
from crm.accounts.enums import Role
from crm.accounts.forms import TeamForm, form_status, posted
from crm.accounts.models import SalesTeam, User


@role_required(Role.ADMIN)
@require_GET
def team_list(request: AppRequest) -> HttpResponse:
    """List the teams with their members."""
    members = User.objects.filter(is_active=True).order_by("full_name", "id")
    teams = SalesTeam.objects.prefetch_related(Prefetch("members", members)).order_by("name", "id")
    return render(request, "accounts/teams.html", {"teams": teams})


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def team_add(request: AppRequest) -> HttpResponse:
    """Add a team."""
    form = TeamForm(posted(request))
    if form.is_valid():
        try:
            services.create_team(**form.cleaned_data)
        except services.TeamNameTaken:
            form.add_error("name", "Another team has this name.")
        else:
            messages.success(request, f"Team {form.cleaned_data['name']} is ready for members.")
            return redirect("accounts:teams")
    return render(request, "accounts/team.html", {"form": form}, status=form_status(form))


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def team_edit(request: AppRequest, team_id: int) -> HttpResponse:
    """Rename a team, or move it to another time zone."""
    team = get_object_or_404(SalesTeam, pk=team_id)
    initial = {"name": team.name, "time_zone": team.time_zone}
    form = TeamForm(posted(request), initial=initial)
    if form.is_valid():
        try:
            services.update_team(team_id=team.pk, **form.cleaned_data)
        except services.TeamNameTaken:
            form.add_error("name", "Another team has this name.")
        else:
            return redirect("accounts:teams")
    context = {"form": form, "team": team}
    return render(request, "accounts/team.html", context, status=form_status(form))

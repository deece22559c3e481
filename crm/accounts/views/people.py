"""For admins: who works here, and who is invited."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts import services
from crm.accounts.access import AppRequest, role_required
from crm.accounts.enums import Role
from crm.accounts.forms import InvitationForm, WorkForm, form_status, posted
from crm.accounts.models import Invitation, User


@role_required(Role.ADMIN)
@require_GET
def person_list(request: AppRequest) -> HttpResponse:
    """List everybody, then the invitations nobody has accepted yet."""
    people = User.objects.select_related("sales_team").order_by("-is_active", "full_name", "id")
    invitations = Invitation.objects.filter(accepted_at__isnull=True)
    context = {
        "people": people,
        "invitations": invitations.select_related("sales_team", "invited_by").order_by("id"),
    }
    return render(request, "accounts/people.html", context)


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def person_invite(request: AppRequest) -> HttpResponse:
    """Invite one person by mail."""
    form = InvitationForm(posted(request))
    if form.is_valid():
        try:
            invitation = services.invite(
                **form.cleaned_data, invited_by=request.user, now=timezone.now()
            )
        except services.AddressTaken:
            form.add_error("email", "This person has an account already.")
        else:
            messages.success(request, f"{invitation.email} gets a mail with a link.")
            return redirect("accounts:people")
    return render(request, "accounts/invite.html", {"form": form}, status=form_status(form))


@role_required(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def person_edit(request: AppRequest, user_id: int) -> HttpResponse:
    """Change what one person works on."""
    person = get_object_or_404(User, pk=user_id)
    form = WorkForm(posted(request), initial=_work_of(person))
    if form.is_valid():
        try:
            services.update_person(user_id=person.pk, now=timezone.now(), **form.cleaned_data)
        except services.LastAdmin:
            form.add_error("roles", "Somebody has to be left as admin.")
        else:
            messages.success(request, f"{form.cleaned_data['full_name']} is saved.")
            return redirect("accounts:people")
    context = {"form": form, "person": person, "is_self": person == request.user}
    return render(request, "accounts/person.html", context, status=form_status(form))


@role_required(Role.ADMIN)
@require_POST
def person_deactivate(request: AppRequest, user_id: int) -> HttpResponse:
    """End one person's access."""
    person = get_object_or_404(User, pk=user_id)
    try:
        services.deactivate_user(user_id=person.pk, actor=request.user, now=timezone.now())
    except services.CannotDeactivateYourself:
        messages.error(request, "You cannot end your own access; another admin can.")
    except services.LastAdmin:
        messages.error(request, f"{person} is the last admin; make somebody else one first.")
    else:
        messages.success(request, f"{person} can no longer log in. Their history stays.")
    return redirect("accounts:people")


@role_required(Role.ADMIN)
@require_POST
def person_reactivate(request: AppRequest, user_id: int) -> HttpResponse:
    """Let one person in again."""
    person = get_object_or_404(User, pk=user_id)
    services.reactivate_user(user_id=person.pk)
    messages.success(request, f"{person} can log in again.")
    return redirect("accounts:people")


@role_required(Role.ADMIN)
@require_POST
def invitation_renew(request: AppRequest, invitation_id: int) -> HttpResponse:
    """Send an invitation again, with a new link."""
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    try:
        services.renew_invitation(invitation_id=invitation.pk, now=timezone.now())
    except services.InvitationUsed:
        messages.warning(request, f"{invitation.email} has accepted meanwhile.")
    else:
        messages.success(request, f"{invitation.email} gets a new link; the old one is void.")
    return redirect("accounts:people")


@role_required(Role.ADMIN)
@require_POST
def invitation_withdraw(request: AppRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    invitation = get_object_or_404(Invitation, pk=invitation_id)
    services.withdraw_invitation(invitation_id=invitation.pk)
    messages.success(request, f"The link of {invitation.email} is void.")
    return redirect("accounts:people")


def _work_of(person: User) -> dict[str, object]:
    return {
        "full_name": person.full_name,
        "roles": person.roles,
        "sales_team": person.sales_team,
    }

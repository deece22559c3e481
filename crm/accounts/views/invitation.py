"""For the invited: accept and become a person of this house."""

from __future__ import annotations

from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from crm.accounts import services
from crm.accounts.access import LOGIN_BACKEND
from crm.accounts.forms import AcceptanceForm, form_status, posted
from crm.accounts.models import User

REFUSALS = {
    services.InvitationUnknown: (
        "This link is not valid",
        "It may have been replaced by a newer one. Look for the latest mail, or ask for another.",
    ),
    services.InvitationExpired: (
        "This link is too old",
        "Ask the person who invited you to send it again.",
    ),
    services.InvitationUsed: (
        "This link was used before",
        "Your account exists: log in with the password you chose.",
    ),
    services.AddressTaken: (
        "You have an account already",
        "Log in with your e-mail address and your password.",
    ),
}


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is offered; only a POST with a password accepts it."""
    try:
        invitation = services.find_invitation(token=token, now=timezone.now())
        form = AcceptanceForm(posted(request), initial={"full_name": invitation.full_name})
        person = _accept(form, token) if form.is_valid() else None
    except tuple(REFUSALS) as refusal:
        title, text = REFUSALS[type(refusal)]
        refused = {"title": title, "text": text}
        return render(request, "accounts/invitation_refused.html", refused, status=410)
    if person is not None:
        login(request, person, backend=LOGIN_BACKEND)
        return redirect("shell:home")
    context = {"form": form, "invitation": invitation}
    return render(request, "accounts/invitation.html", context, status=form_status(form))


def _accept(form: AcceptanceForm, token: str) -> User | None:
    """Accept with what was typed; None, and an error on the form, when the password is too weak."""
    try:
        return services.accept_invitation(token=token, now=timezone.now(), **form.cleaned_data)
    except ValidationError as error:
        form.add_error("password", error)
        return None

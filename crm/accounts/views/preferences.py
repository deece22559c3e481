"""For everyone: one's own settings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from crm.accounts import services
from crm.accounts.access import AppRequest
from crm.accounts.enums import Theme
from crm.accounts.forms import PreferencesForm, form_status, posted


@login_required
@require_http_methods(["GET", "POST"])
def preferences(request: AppRequest) -> HttpResponse:
    """Change name, time zone, colours, keys and mail."""
    form = PreferencesForm(posted(request), initial=PreferencesForm.fields_of(request.user))
    if form.is_valid():
        services.update_preferences(user=request.user, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("accounts:preferences")
    return render(request, "accounts/preferences.html", {"form": form}, status=form_status(form))


@login_required
@require_POST
def theme(request: AppRequest) -> HttpResponse:
    """Remember the colours chosen in the menu."""
    choice = request.POST.get("theme", "").upper()
    if choice not in Theme.values:
        return HttpResponseBadRequest()
    services.set_theme(user=request.user, theme=choice)
    return HttpResponse(status=204)

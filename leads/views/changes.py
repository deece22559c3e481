"""Pages that write leads: capture, facts, notes, moves through the lifecycle."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from crm.accounts.access import role_required
from crm.accounts.forms import form_status
from crm.common.http import AppRequest, render_page, wants_partial, way_back
from crm.common.once import act_once, form_key
from leads import services
from leads.forms import LeadForm, NoteForm, WithdrawalForm
from leads.history import last_changes
from leads.models import Lead, LeadAttribute
from leads.views.detail import (
    STAGE_ROLES,
    find_lead,
    here_of,
    list_query_of,
    show_lead,
    stage_form,
    timeline_of,
)


@role_required(*STAGE_ROLES)
@require_http_methods(["GET", "POST"])
def lead_create(request: AppRequest) -> HttpResponse:
    """Capture a lead by hand."""
    form = LeadForm(_posted(request), declared=declared())
    if form.is_valid() and (lead := write_lead(request, form, None)):
        messages.success(request, f"{lead} is captured.")
        return open_lead(request, lead)
    return _show_form(request, form, None)


@login_required
@require_http_methods(["GET", "POST"])
def lead_edit(request: AppRequest, lead_id: int) -> HttpResponse:
    """Change what is known of a lead."""
    lead = find_lead(request, lead_id)
    form = LeadForm(_posted(request), declared=declared(), lead=lead)
    if form.is_valid() and (saved := write_lead(request, form, lead)):
        messages.success(request, f"{saved} is saved.")
        return open_lead(request, saved)
    return _show_form(request, form, lead)


@login_required
@require_POST
def lead_note(request: AppRequest, lead_id: int) -> HttpResponse:
    """Keep a note; htmx gets an empty form and the timeline with the note in it."""
    lead = find_lead(request, lead_id)
    form = NoteForm(request.POST)
    if form.is_valid() and _add_note(request, form, lead):
        if not wants_partial(request):
            return open_lead(request, lead)
        context = {
            "lead": lead,
            "here": here_of(request, lead),
            "note_form": NoteForm(),
            "timeline": timeline_of(request, lead),
        }
        return render(request, "leads/_note_added.html", context)
    if not wants_partial(request):
        return show_lead(request, lead, note_form=form, status=422)
    context = {"lead": lead, "here": here_of(request, lead), "note_form": form}
    return render(request, "leads/_lead_note_form.html", context, status=422)


@role_required(*STAGE_ROLES)
@require_http_methods(["GET", "POST"])
def lead_stage(request: AppRequest, lead_id: int) -> HttpResponse:
    """Move a lead through the lifecycle by hand."""
    lead = find_lead(request, lead_id)
    form = stage_form(request, lead)
    if form is None:
        messages.warning(
            request, f"{lead} is {lead.get_stage_display()}; nothing leads on by hand."
        )
        return open_lead(request, lead)
    form.initial["to_stage"] = request.GET.get("to_stage", "")
    list_query = list_query_of(request)
    if form.is_valid():
        try:
            change = services.change_stage(
                lead_id=lead.pk, now=timezone.now(), actor=request.user, **form.move()
            )
        except services.IllegalTransition as refusal:
            form.add_error("to_stage", f"The lead has moved meanwhile: {refusal}.")
        else:
            messages.success(request, f"{lead} is {change.get_stage_display()} now.")
            return _back_to_list(request, list_query) if list_query else open_lead(request, lead)
    return render_page(
        request,
        "leads/lead_stage.html",
        {
            "lead": lead,
            "stage_form": form,
            "list_query": list_query,
            "back": back_to(request, lead),
        },
        partial="leads/_lead_stage_form.html",
        status=form_status(form),
    )


@login_required
@require_http_methods(["GET", "POST"])
def lead_consent(request: AppRequest, lead_id: int) -> HttpResponse:
    """Record that a lead took a consent back."""
    lead = find_lead(request, lead_id)
    form = WithdrawalForm(_posted(request))
    if form.is_valid() and _withdraw(request, form, lead):
        messages.success(request, f"It is kept that {lead} took the consent back.")
        return open_lead(request, lead)
    return render_page(
        request,
        "leads/lead_consent.html",
        {"lead": lead, "form": form, "back": back_to(request, lead)},
        partial="leads/_lead_consent_form.html",
        status=form_status(form),
    )


def _withdraw(request: AppRequest, form: WithdrawalForm, lead: Lead) -> bool:
    """Keep the withdrawal once; False, and an error on the form, when it was refused."""
    now = timezone.now()
    said = {**form.withdrawal(now=now), "lead_id": lead.pk, "actor": request.user}
    try:
        act_once(services.withdraw_consent, form_key(request), now=now, **said)
    except services.WithdrawalRefused as refusal:
        form.add_error("withdrawn_at", str(refusal))
        return False
    return True


def write_lead(request: AppRequest, form: LeadForm, lead: Lead | None) -> Lead | None:
    """Capture or change the lead; None, and errors on the form, when a value was refused."""
    now, changes = timezone.now(), form.changes()
    try:
        if lead is None:
            said = {**changes, "actor": request.user, "now": now}
            return Lead.objects.get(pk=act_once(services.create_lead, form_key(request), **said))
        return services.update_lead(
            lead_id=lead.pk, now=now, actor=request.user, seen=form.seen(), **changes
        )
    except services.ChangedMeanwhile as conflict:
        who = last_changes(lead_id=lead.pk, now=now) if lead else {}
        form.add_conflicts(conflict.values, who)
    except services.LeadInvalid as refusal:
        form.add_problems(refusal.problems)
    except services.DuplicateEmail as refusal:
        other = Lead.objects.visible_to(request.user).filter(pk=refusal.lead_id).first()
        form.add_duplicate(other, reverse("leads:detail", args=[refusal.lead_id]))
    return None


def _add_note(request: AppRequest, form: NoteForm, lead: Lead) -> bool:
    """Keep the note; False, and an error on the form, when it was refused."""
    said = {**form.cleaned_data, "author": request.user, "now": timezone.now()}
    try:
        act_once(services.add_note, form_key(request), lead_id=lead.pk, **said)
    except services.LeadInvalid as refusal:
        form.add_error("text", f"This {refusal.problems['text']}.")
        return False
    return True


def _show_form(request: AppRequest, form: LeadForm, lead: Lead | None) -> HttpResponse:
    back = back_to(request, lead) if lead else reverse("leads:list")
    return render_page(
        request,
        "leads/lead_form.html",
        {"form": form, "lead": lead, "back": back},
        partial="leads/_lead_form.html",
        status=form_status(form),
    )


def open_lead(request: AppRequest, lead: Lead) -> HttpResponse:
    """Go back to the page of ``lead``; htmx loads it whole, since everything on it moved."""
    url = back_to(request, lead)
    return HttpResponseClientRedirect(url) if wants_partial(request) else redirect(url)


def back_to(request: AppRequest, lead: Lead) -> str:
    """Return the page of ``lead``, at its place in the list when the person came from there."""
    return way_back(request, reverse("leads:detail", args=[lead.pk]))


def _back_to_list(request: AppRequest, query: str) -> HttpResponse:
    url = f"{reverse('leads:list')}?{query}"
    return HttpResponseClientRedirect(url) if wants_partial(request) else redirect(url)


def _posted(request: AppRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def declared() -> list[LeadAttribute]:
    """Return the custom attributes in the order of their labels."""
    return list(LeadAttribute.objects.order_by("label", "id"))

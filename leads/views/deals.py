"""Recording how the deal of an SQL ended."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.accounts.forms import form_status, posted
from crm.common.http import AppRequest, render_page
from crm.common.once import act_once, form_key
from leads import services
from leads.deal_forms import DealForm
from leads.enums import LifecycleStage
from leads.models import Deal, Lead
from leads.views.changes import back_to, open_lead
from leads.views.detail import DEAL_ROLES, find_lead

#: Before the first deal. Our choice.
_CURRENCY = "EUR"


@role_required(*DEAL_ROLES)
@require_http_methods(["GET", "POST"])
def lead_deal(request: AppRequest, lead_id: int) -> HttpResponse:
    """Record that the deal of an SQL was won, with its value, or lost, with the reason."""
    lead, now = find_lead(request, lead_id), timezone.now()
    if request.method == "GET" and lead.stage != LifecycleStage.SQL:
        messages.info(request, f"{lead} is {lead.get_stage_display()}: there is no deal to close.")
        return open_lead(request, lead)
    form = DealForm(posted(request), lead=lead, now=now, currency=_last_currency())
    if form.is_valid() and _close(request, form, lead, now=now):
        return open_lead(request, lead)
    return render_page(
        request,
        "leads/lead_deal.html",
        {"lead": lead, "form": form, "back": back_to(request, lead)},
        partial="leads/_lead_deal_form.html",
        status=form_status(form),
    )


def _close(request: AppRequest, form: DealForm, lead: Lead, *, now: datetime) -> bool:
    """Record the deal once; False, and an error on the form, when it was refused."""
    owner = request.user if request.user.has_role(Role.REP) else None
    said = {**form.deal(), "lead_id": lead.pk, "actor": request.user, "owner": owner}
    try:
        act_once(services.close_deal, form_key(request), now=now, **said)
    except services.NothingToClose as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, f"{lead} is {form.deal()['outcome'].label.lower()}.")
    return True


def _last_currency() -> str:
    known = Deal.objects.exclude(currency="").order_by("-id").values_list("currency", flat=True)
    return known.first() or _CURRENCY

"""What a draft of the agreement asks after the call, and which answers make an SQL."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from crm.accounts.access import role_required
from crm.accounts.forms import form_status, posted
from crm.common.http import AppRequest, render_page
from handoff.bant import outcomes
from handoff.frameworks import TEMPLATES, QualificationPolicy, write_policy
from handoff.models import Agreement
from handoff.policy_forms import PolicyForm
from handoff.views.agreement import DRAFTERS
from handoff.views.agreement_draft import draft_of, revise


@role_required(*DRAFTERS)
@require_http_methods(["GET", "POST"])
def qualification(request: AppRequest, version: int) -> HttpResponse:
    """Show the policy of a draft as a form, or a template to start from."""
    draft = draft_of(version)
    start = _start(request, draft)
    form = PolicyForm(posted(request), policy=start)
    if form.is_valid():
        document = write_policy(form.policy())
        if revise(request, draft, form, qualification=document):
            messages.success(request, f"{draft} asks so now.")
            return redirect("handoff:agreement_qualification", version)
    shown = form.policy() if form.is_bound and not form.errors else start
    context = {
        "draft": draft,
        "form": form,
        "framework": start.framework,
        "frameworks": TEMPLATES,
        "is_template": start != draft.policy,
        "outcomes": outcomes(shown),
    }
    status = form_status(form)
    return render_page(request, "handoff/agreement_qualification.html", context, status=status)


def _start(request: AppRequest, draft: Agreement) -> QualificationPolicy:
    """Return what the form starts from: the template that was asked for, else the draft."""
    if request.method == "GET":
        return TEMPLATES.get(request.GET.get("template", ""), draft.policy)
    framework = request.POST.get("framework", "")
    is_other = framework != draft.policy.framework
    return TEMPLATES.get(framework, draft.policy) if is_other else draft.policy

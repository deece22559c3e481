"""Pages on which forms are built."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.accounts.forms import form_status, posted
from crm.common.http import AppRequest, render_page
from crm.common.once import act_once, form_key
from engagement.form_builder import Builder, NewForm
from engagement.hosted_form import HostedForm
from engagement.models import CaptureForm
from engagement.models.forms import FormFace
from engagement.questions import as_document
from engagement.services import forms as services
from engagement.services.assets import SlugTaken

may_build = role_required(Role.MARKETER, Role.MANAGER, Role.ADMIN)
_TAKEN = "Another form has this address."


@may_build
@require_GET
def forms(request: AppRequest) -> HttpResponse:
    """List the forms with what was sent with each."""
    listed = CaptureForm.objects.for_list().order_by("status", "name", "id")
    return render(request, "engagement/forms.html", {"forms": listed, "now": timezone.now()})


@may_build
@require_http_methods(["GET", "POST"])
def form_create(request: AppRequest) -> HttpResponse:
    """Begin a form."""
    new = NewForm(posted(request))
    if new.is_valid():
        said = {**new.cleaned_data, "actor": request.user, "now": timezone.now()}
        try:
            form_id = act_once(services.create_form, form_key(request), **said)
            return redirect("engagement:form_edit", form_id)
        except SlugTaken:
            new.add_error("slug", _TAKEN)
    return render(request, "engagement/form_new.html", {"form": new}, status=form_status(new))


@may_build
@require_http_methods(["GET", "POST"])
def form_edit(request: AppRequest, form_id: int) -> HttpResponse:
    """Build a form: words, questions, what stands behind it. Every button keeps what was typed."""
    form = get_object_or_404(CaptureForm.objects.select_related("version"), pk=form_id)
    builder = Builder(form, posted(request))
    if request.method == "POST" and builder.is_valid() and _keep(request, form, builder):
        return redirect("engagement:form_edit", form_id)
    context = {"form": form, "builder": builder, **_around(form, form)}
    status = form_status(builder.settings)
    return render_page(
        request, "engagement/form_edit.html", context, partial="engagement/_form_builder.html",
        status=status,
    )  # fmt: skip


@may_build
@require_POST
def form_preview(request: AppRequest, form_id: int) -> HttpResponse:
    """Answer htmx with how the form would look as it is typed."""
    form = get_object_or_404(CaptureForm.objects.select_related("version"), pk=form_id)
    builder, face = Builder(form, request.POST), CaptureForm(**form.face)
    if builder.is_valid():
        said = builder.settings.cleaned_data
        for name in form.face.keys() & said.keys():
            setattr(face, name, said[name])
        face.questions = as_document(builder.questions())
    return render(request, "engagement/_form_preview.html", _around(form, face))


def _keep(request: AppRequest, form: CaptureForm, builder: Builder) -> bool:
    """Keep the draft, then do what the button says; False when the address is taken."""
    act, added = request.POST.get("do", ""), request.POST.get("added", "")
    questions = builder.questions(act, added)
    try:
        services.save_form(form_id=form.pk, questions=questions, **builder.settings.cleaned_data)
    except SlugTaken:
        builder.settings.add_error("slug", _TAKEN)
        return False
    if act == "publish":
        _publish(request, form)
    elif act == "archive":
        services.archive_form(form_id=form.pk)
        messages.success(request, f"{form} is closed to strangers. What was sent stays.")
    elif act == "save":
        messages.success(request, f"{form} is saved.")
    return True


def _publish(request: AppRequest, form: CaptureForm) -> None:
    try:
        shown = services.publish_form(form_id=form.pk, actor=request.user, now=timezone.now())
    except services.NotPublishable as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"{shown.version} is what strangers see from now on.")


def _around(form: CaptureForm, face: FormFace) -> dict[str, object]:
    """Return what the page shows beside the builder: a preview, addresses, what is missing."""
    return {
        "face": face,
        "hosted": HostedForm(face, auto_id="preview_%s"),
        "problems": services.publishing_problems(form),
        "address": f"{settings.PUBLIC_URL}{reverse('engagement:hosted_form', args=[form.slug])}",
    }

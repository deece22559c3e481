"""Forms as strangers see them: no session, no cookie, no script; links carry sealed tokens.

Pages are rendered without the request, so that nothing of whoever is logged in can show.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from engagement import tokens
from engagement.enums import FormStatus, SubmissionState
from engagement.form_mail import LINK_LASTS, OPT_IN
from engagement.hosted_form import CONSENT, TRAP, HostedForm
from engagement.hosting import Told, arrival_of, framed, is_too_large, told_by
from engagement.models import CaptureForm, FormVersion, Submission
from engagement.render_token import RenderToken, read_token
from engagement.services import download_url
from engagement.services.submissions import ask_again, confirm_submission, submit_form

_SENT = "form sent"
_STALE = "This page was open for a long time. Nothing is sent yet: please press the button again."

anybody = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@csrf_exempt
@anybody
def hosted_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a form to anybody, and take what they send."""
    form = _find(slug)
    if form.status == FormStatus.ARCHIVED:
        return _page(form, "closed", {}, status=410)
    if request.method != "POST":
        return _show(form, told_by(request), HostedForm(_version(form)))
    if is_too_large(request):
        return _page(form, "too_large", {}, status=413)
    return _take(request, form)


@never_cache
@csrf_exempt
@anybody
def thanks(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Thank the sender, at an address that can be loaded again; POST mails the link once more.

    It is the same page whatever became of what was sent: machines learn nothing from it.
    """
    form, submission = _find(slug), _sent(slug, token)
    is_again = request.method == "POST"
    if is_again and submission:
        ask_again(submission_id=submission.pk, now=timezone.now())
    is_confirmed = submission is not None and submission.state == SubmissionState.ACCEPTED
    is_settled = is_confirmed or not form.double_opt_in
    context = {
        "is_settled": is_settled, "is_again": is_again, "token": token, "told": told_by(request),
    }  # fmt: skip
    return _page(form, "thanks", context)


@never_cache
@require_safe
def form_file(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Lead to the file behind a form; whoever was refused gets it by mail if a person says so.

    The link is as old as the decision on what was sent, so that it ends however often it is made.
    """
    del request
    form, submission = _find(slug), _sent(slug, token)
    if form.gated_file is None:
        raise Http404
    if submission is None or submission.lead_id is None or submission.decided_at is None:
        return _page(form, "file_later", {})
    link = download_url(
        asset=form.gated_file, lead_id=submission.lead_id, now=submission.decided_at
    )
    return redirect(link)


@never_cache
@csrf_exempt
@anybody
def confirm(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Show the button that confirms an address; only pressing it does, as scanners follow links."""
    now = timezone.now()
    submission, is_fresh = _asked(slug, token, now)
    if submission.state == SubmissionState.WAITING and not is_fresh:
        again = tokens.sign(_SENT, submission.pk, now=now)
        return _page(submission.form, "expired", {"token": again}, status=410)
    if request.method == "POST":
        confirm_submission(submission_id=submission.pk, now=now)
        return _to_thanks(submission.form, submission, now)
    return _page(submission.form, "confirm", {})


def _take(request: HttpRequest, form: CaptureForm) -> HttpResponse:
    """Take what was sent; show it again, with what was typed, when something is wrong with it."""
    now, told = timezone.now(), told_by(request)
    token = _read(form, request.POST.get("token", ""), now)
    if token is None:
        return _show(form, told, HostedForm(_version(form), request.POST), notice=_STALE)
    version = form.versions.select_related("form").get(pk=token.version_id)
    hosted = HostedForm(version, request.POST)
    if not hosted.is_valid():
        return _show(form, told, hosted, token=token)
    submission = submit_form(
        version=version,
        answers=hosted.answers,
        has_consent=bool(hosted.cleaned_data.get(CONSENT)),
        arrival=arrival_of(request, told, token, now=now),
        now=now,
    )
    leads_away = form.redirect_url and not form.double_opt_in and not told.is_embedded
    if leads_away:
        return framed(HttpResponse(status=303, headers={"Location": form.redirect_url}), form)
    return _to_thanks(form, submission, now, query="?embed=1" if told.is_embedded else "")


def _show(
    form: CaptureForm,
    told: Told,
    hosted: HostedForm,
    *,
    token: RenderToken | None = None,
    notice: str = "",
) -> HttpResponse:
    """Show the form; with ``token`` it is the page that was there, with its mistakes marked."""
    version = _version(form)
    if token is None:
        token = RenderToken.new(version.pk, now=timezone.now(), is_repeat=hosted.is_bound)
    context = {
        "face": version,
        "hosted": hosted,
        "told": told,
        "token": token.sealed(),
        "trap": TRAP,
        "notice": notice,
    }
    return _page(form, "form", context, status=422 if hosted.is_bound else 200)


def _page(
    form: CaptureForm, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    shown = render_to_string(f"engagement/hosted/{name}.html", {"form": form, **context})
    return framed(HttpResponse(shown, status=status), form)


def _to_thanks(
    form: CaptureForm, submission: Submission | None, now: datetime, *, query: str = ""
) -> HttpResponse:
    """Lead to the thank-you page by GET, so that loading it again sends nothing again."""
    token = tokens.sign(_SENT, submission.pk if submission else 0, now=now)
    address = reverse("engagement:form_thanks", args=[form.slug, token])
    return framed(HttpResponse(status=303, headers={"Location": f"{address}{query}"}), form)


def _find(slug: str) -> CaptureForm:
    """Return a form that strangers may know of, even if it is closed by now."""
    known = CaptureForm.objects.exclude(version=None).exclude(status=FormStatus.DRAFT)
    return get_object_or_404(known.select_related("version", "asset__file"), slug=slug)


def _version(form: CaptureForm) -> FormVersion:
    if form.version is None:
        raise Http404
    return form.version


def _read(form: CaptureForm, text: str, now: datetime) -> RenderToken | None:
    """Return the token of a page of this form; None when it is none, or too old."""
    try:
        token = read_token(text, now=now)
    except tokens.TokenInvalid:
        return None
    return token if form.versions.filter(pk=token.version_id).exists() else None


def _sent(slug: str, token: str) -> Submission | None:
    """Return what a thank-you page is about; None when it was not kept."""
    try:
        submission_id = tokens.read(_SENT, token, now=timezone.now())
    except tokens.TokenInvalid:
        raise Http404 from None
    return Submission.objects.filter(pk=submission_id, form__slug=slug).first()


def _asked(slug: str, token: str, now: datetime) -> tuple[Submission, bool]:
    """Return the submission that a mailed link confirms, and whether the link still does."""
    rows = Submission.objects.select_related("form__version", "form__asset__file")
    try:
        submission_id = tokens.read(OPT_IN, token, now=now)
    except tokens.TokenInvalid:
        raise Http404 from None
    submission = get_object_or_404(rows, pk=submission_id, form__slug=slug)
    try:
        tokens.read(OPT_IN, token, now=now, max_age=LINK_LASTS)
    except tokens.TokenInvalid:
        return submission, False
    return submission, True

"""Pages of what was sent with a form."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from crm.common.csv import csv_file
from crm.common.http import AppRequest
from crm.common.once import act_once, form_key
from crm.common.paging import keyset_page
from engagement.answers import answers_in_words, answers_of, catalogue, words
from engagement.enums import SubmissionState
from engagement.models import CaptureForm, Submission
from engagement.services.submissions import accept_submission
from engagement.suspicion import MOST_REFUSED_AN_HOUR
from engagement.views.forms import may_build

_CHUNK = 500


@may_build
@require_GET
def submissions(request: AppRequest, form_id: int) -> HttpResponse:
    """List what was sent with a form, by what became of it."""
    form = get_object_or_404(CaptureForm.objects.for_list(), pk=form_id)
    state = _asked_state(request)
    page = keyset_page(
        form.submissions.in_state(state),
        ordering=("-received_at", "-id"),
        cursor=request.GET.get("cursor"),
    )
    labels = catalogue()
    counts = [(each, getattr(form, each.lower())) for each in SubmissionState]
    context = {
        "form": form,
        "state": state,
        "page": page,
        "keep": f"state={state}",
        "rows": [
            (each, answers_in_words(each, labels), _contradicted(each, labels))
            for each in page.items
        ],
        "counts": counts,
        "most_kept": MOST_REFUSED_AN_HOUR,
        "keep_days": None if state == SubmissionState.ACCEPTED else settings.KEEP_REFUSED_DAYS,
        "now": timezone.now(),
    }
    return render(request, "engagement/submissions.html", context)


@may_build
@require_GET
def submissions_export(request: AppRequest, form_id: int) -> HttpResponseBase:
    """Send what was sent with a form as CSV: a column for each field that was ever answered."""
    form = get_object_or_404(CaptureForm, pk=form_id)
    rows = form.submissions.in_state(_asked_state(request)).order_by("-received_at", "-id")
    labels = catalogue()
    header = ["Received", "State", "Reason", "Lead", "Page", "Version", "Consent", *labels.values()]
    lines = (_line(each, labels) for each in rows.iterator(chunk_size=_CHUNK))
    return csv_file(f"{form.slug}-submissions.csv", header, lines)


@may_build
@require_POST
def submission_accept(request: AppRequest, submission_id: int) -> HttpResponse:
    """Not spam: treat a refused submission as if it had been accepted when it came."""
    submission = get_object_or_404(Submission, pk=submission_id)
    now, key = timezone.now(), form_key(request)
    act_once(accept_submission, key, now=now, submission_id=submission_id, actor=request.user)
    submission.refresh_from_db()
    messages.success(request, f"{submission.email}: {submission.get_state_display().lower()}.")
    return redirect("engagement:submissions", submission.form_id)


def _asked_state(request: AppRequest) -> SubmissionState:
    asked = request.GET.get("state", "")
    return SubmissionState(asked) if asked in SubmissionState.values else SubmissionState.ACCEPTED


def _contradicted(submission: Submission, labels: dict[str, str]) -> list[str]:
    return [
        f"{labels.get(name, name)}: known as {words(name, known)}"
        for name, (known, _) in submission.differences.items()
    ]


def _line(submission: Submission, labels: dict[str, str]) -> list[Any]:
    answers = answers_of(submission)
    return [
        submission.received_at, submission.get_state_display(), submission.get_reason_display(),
        submission.lead_id, submission.page_url, submission.version.number, submission.has_consent,
        *[answers.get(name) for name in labels],
    ]  # fmt: skip

"""Taking in what strangers send with forms: everything is kept, once, and decided upon."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from crm.accounts.models import User
from crm.common.locks import hold
from crm.common.outbox import enqueue
from engagement.enums import SubmissionState
from engagement.form_mail import ASSET_LINK, OPT_IN
from engagement.models import CaptureForm, FormVersion, Submission
from engagement.services.capturing import capture
from engagement.suspicion import HOUR, MOST_REFUSED_AN_HOUR, WINDOW, suspicion

#: Asking again for a confirmation sends at most one mail in this time.
MAIL_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a submission came: what the page and the request tell beside the answers.

    ``nonce`` names the page that was shown, ``trap`` is what stood in the field that people cannot
    see, ``took`` how long the page was open, ``address`` the network address of the sender, of
    which only a keyed digest is kept.
    """

    nonce: str
    took: timedelta
    address: str
    trap: str = ""
    anonymous_id: str = ""
    page_url: str = ""
    touch: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def submit_form(
    *,
    version: FormVersion,
    answers: Mapping[str, Any],
    has_consent: bool,
    arrival: Arrival,
    now: datetime,
) -> Submission | None:
    """Keep what somebody sent and act on it: capture the lead, ask for a confirmation, or refuse.

    The same page with the same answers is the submission that is there; whoever goes back and
    changes an answer sends something else. What is suspicious is kept with its
    reason; of more than ``MOST_REFUSED_AN_HOUR`` only the number is, and None is returned.

    Args:
        version: what the sender saw.
        answers: cleaned values of its questions, with ``email``, as ``leads.services`` takes them.
        has_consent: whether the consent was ticked.
        arrival: how it came.
        now: time of receipt.
    """
    sender = salted_hmac("engagement.sender", arrival.address, algorithm="sha256").hexdigest()
    hold(f"form {version.form_id} from {sender}")
    nonce = _nonce(arrival, answers, has_consent=has_consent)
    if known := Submission.objects.filter(nonce=nonce).first():
        return known
    recent = Submission.objects.filter(
        sender=sender, form=version.form_id, received_at__gt=now - WINDOW
    )
    reason = suspicion(trap=arrival.trap, took=arrival.took, recent=recent.count())
    if reason and not _has_room(version.form, now):
        return None
    submission, is_new = Submission.objects.select_related("form", "version").get_or_create(
        nonce=nonce,
        defaults={
            "form": version.form,
            "version": version,
            "state": SubmissionState.REFUSED if reason else SubmissionState.WAITING,
            "reason": reason or "",
            "email": answers["email"],
            "answers": dict(answers),
            "has_consent": has_consent,
            "anonymous_id": arrival.anonymous_id,
            "page_url": arrival.page_url,
            "touch": dict(arrival.touch),
            "sender": sender,
            "received_at": now,
        },
    )
    if is_new and not reason:
        _admit(submission, by=None, now=now)
    return submission


@transaction.atomic
def accept_submission(*, submission_id: int, actor: User, now: datetime) -> Submission:
    """Treat a refused submission as if it had been accepted when it came; else change nothing."""
    submission = _locked_by_address(submission_id)
    if submission.state == SubmissionState.REFUSED:
        _admit(submission, by=actor, now=now)
    return submission


@transaction.atomic
def confirm_submission(*, submission_id: int, now: datetime) -> Submission:
    """Capture the lead of a submission that waited for this, dated now; twice changes nothing.

    Others that the same person sent with the same form meanwhile are settled with it.
    """
    submission = _locked_by_address(submission_id)
    if submission.state == SubmissionState.WAITING:
        _accept(submission, happened_at=now, by=None, now=now, is_confirmed=True)
        Submission.objects.filter(
            form=submission.form, email=submission.email, state=SubmissionState.WAITING
        ).update(state=SubmissionState.ACCEPTED, lead=submission.lead_id, decided_at=now)
    return submission


@transaction.atomic
def ask_again(*, submission_id: int, now: datetime) -> bool:
    """Mail the confirmation link once more; False when that was done within ``MAIL_PAUSE``."""
    submission = _locked_by_address(submission_id)
    return submission.state == SubmissionState.WAITING and _ask_to_confirm(submission, now)


def _nonce(arrival: Arrival, answers: Mapping[str, Any], *, has_consent: bool) -> str:
    said = json.dumps([arrival.nonce, answers, has_consent], sort_keys=True)
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _locked_by_address(submission_id: int) -> Submission:
    """Lock a submission when nobody else is at work on this address: two links are one."""
    _hold_address(Submission.objects.get(pk=submission_id))
    rows = Submission.objects.select_related("form__asset__file", "form__offer__asset", "version")
    return rows.select_for_update(of=("self",)).get(pk=submission_id)


def _hold_address(submission: Submission) -> None:
    hold(f"opt-in {submission.form_id} {submission.email}")


def _has_room(form: CaptureForm, now: datetime) -> bool:
    """Say whether another refused submission is kept; count it when it is not."""
    lately = form.submissions.filter(state=SubmissionState.REFUSED, received_at__gt=now - HOUR)
    if lately.count() < MOST_REFUSED_AN_HOUR:
        return True
    CaptureForm.objects.filter(pk=form.pk).update(unkept=F("unkept") + 1, unkept_at=now)
    return False


def _admit(submission: Submission, *, by: User | None, now: datetime) -> None:
    """Ask for a confirmation where the form wants one, else capture the lead."""
    if submission.form.double_opt_in:
        submission.state, submission.decided_by = SubmissionState.WAITING, by
        submission.save(update_fields=["state", "decided_by"])
        _ask_to_confirm(submission, now)
    else:
        _accept(submission, happened_at=submission.received_at, by=by, now=now)


def _accept(
    submission: Submission,
    *,
    happened_at: datetime,
    by: User | None,
    now: datetime,
    is_confirmed: bool = False,
) -> None:
    capture(submission, happened_at=happened_at, is_confirmed=is_confirmed, now=now)
    submission.state, submission.decided_at = SubmissionState.ACCEPTED, now
    submission.decided_by = by or submission.decided_by
    submission.save(update_fields=["state", "decided_at", "decided_by", "lead", "differences"])
    if submission.form.gated_file and (by or submission.form.mails_link):
        _mail(ASSET_LINK, submission, f"{submission.pk}", now)


def _ask_to_confirm(submission: Submission, now: datetime) -> bool:
    """Owe the mail with the link, unless one that is not pressed yet was sent a moment ago."""
    _hold_address(submission)
    lately = Submission.objects.filter(
        form=submission.form,
        email=submission.email,
        state=SubmissionState.WAITING,
        mailed_at__gt=now - MAIL_PAUSE,
    )
    if lately.exists():
        return False
    submission.mailed_at = now
    submission.save(update_fields=["mailed_at"])
    return _mail(OPT_IN, submission, f"{submission.pk}:{now.isoformat()}", now)


def _mail(channel: str, submission: Submission, key: str, now: datetime) -> bool:
    payload = {"submission": submission.pk}
    return enqueue(key=f"{channel}:{key}", channel=channel, payload=payload, now=now)

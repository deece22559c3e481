"""Mails of forms: the link that confirms an address, the link to a file. At most once each.

Links are made when the mail is sent, so that no table holds one.
"""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse

from crm.common.mail import page_address, send_letter
from crm.common.models import OutboxMessage
from crm.common.outbox import register_channel
from engagement import tokens
from engagement.enums import SubmissionState
from engagement.models import Submission
from engagement.services.downloads import download_url

OPT_IN = "opt_in"
ASSET_LINK = "asset_link"
#: Our choice: a week's holiday. An older link offers another mail.
LINK_LASTS = timedelta(days=7)


def register_channels() -> None:
    """Let the outbox carry the mails of forms."""
    register_channel(OPT_IN, deliver_opt_in, at_most_once=True)
    register_channel(ASSET_LINK, deliver_asset_link, at_most_once=True)


def deliver_opt_in(message: OutboxMessage) -> None:
    """Mail the link that confirms an address, unless it was confirmed meanwhile."""
    submission = _submission_of(message)
    if submission.state != SubmissionState.WAITING:
        return
    token = tokens.sign(OPT_IN, submission.pk, now=message.created_at)
    link = page_address(reverse("engagement:confirm_opt_in", args=[submission.form.slug, token]))
    text = (
        f"Somebody asked for “{submission.version.title}” with this address. If that was you, open"
        f" this page and press the button:\n{link}\n\n"
        f"The link works for {LINK_LASTS.days} days. If it was not you, do nothing: without the"
        " confirmation nothing is sent to you."
    )
    send_letter(
        message, to=submission.email, subject=f"Please confirm: {submission.version.title}",
        text=text,
    )  # fmt: skip


def deliver_asset_link(message: OutboxMessage) -> None:
    """Mail the link to the file behind a form, unless the lead or the file is gone by now."""
    submission = _submission_of(message)
    asset = submission.form.gated_file
    if asset is None or submission.lead_id is None:
        return
    link = download_url(asset=asset, lead_id=submission.lead_id, now=message.created_at)
    text = f"Here is what you asked for.\n\n{asset}:\n{link}"
    send_letter(message, to=submission.email, subject=asset.name, text=text)


def _submission_of(message: OutboxMessage) -> Submission:
    rows = Submission.objects.select_related("form__asset__file", "version")
    return rows.get(pk=message.payload["submission"])

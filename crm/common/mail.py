"""How mail leaves the house: internal alerts at least once, mail to prospects at most once.

A repeat of an alert carries the same Message-ID, so that mail programs show it once.
"""

from __future__ import annotations

import hashlib
import smtplib
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import mail
from django.urls import reverse

from crm.accounts.enums import MailWhen, NewsKind
from crm.accounts.invitations import invitation_token
from crm.accounts.models import Invitation, User
from crm.common.models import Notification, OutboxMessage
from crm.common.notifications import ALERT, DIGEST
from crm.common.outbox import NotSent, register_channel

INVITATION = "invitation"
EMAIL = "email"
MOST_IN_A_DIGEST = 100


def register_channels() -> None:
    """Let the outbox carry alerts, invitations and mail to prospects."""
    register_channel(ALERT, deliver_alert)
    register_channel(DIGEST, deliver_digest)
    register_channel(INVITATION, deliver_invitation)
    register_channel(EMAIL, deliver_email, at_most_once=True)


def deliver_alert(message: OutboxMessage) -> None:
    """Mail one notification to its recipient, unless they have left since."""
    line = Notification.objects.select_related("recipient").get(pk=message.payload["notification"])
    if not line.recipient.is_active:
        return
    text = "\n\n".join(part for part in (line.body, page_address(line.url)) if part)
    send_letter(message, to=line.recipient.email, subject=line.title, text=text or line.title)


def deliver_digest(message: OutboxMessage) -> None:
    """Mail what a person was told since their last digest and has not read; nothing for nothing."""
    person = User.objects.filter(pk=message.payload["user"], is_active=True).first()
    if person is None:
        return
    kinds = [kind for kind in NewsKind if person.gets_mail(kind, MailWhen.DAILY)]
    lines = Notification.objects.unread().filter(recipient=person, kind__in=kinds)
    if person.digested_at is not None:
        lines = lines.filter(created_at__gt=person.digested_at)
    told = list(lines.order_by("created_at", "id")[:MOST_IN_A_DIGEST])
    if told:
        parts = [
            "\n".join(filter(None, (line.title, line.body, page_address(line.url))))
            for line in told
        ]
        subject = f"{len(told)} notification{'s' if len(told) > 1 else ''} from Baton"
        send_letter(message, to=person.email, subject=subject, text="\n\n".join(parts))
        User.objects.filter(pk=person.pk).update(digested_at=told[-1].created_at)


def deliver_invitation(message: OutboxMessage) -> None:
    """Mail the link of an invitation; the link is made here, so that no table holds it."""
    open_ones = Invitation.objects.filter(accepted_at__isnull=True).select_related("invited_by")
    invitation = open_ones.filter(pk=message.payload["invitation"]).first()
    if invitation is None:  # accepted or withdrawn meanwhile
        return
    link = page_address(reverse("accounts:accept_invitation", args=[invitation_token(invitation)]))
    zone = invitation.invited_by.time_zone  # of whom they will ask when it has ended
    end = invitation.expires_at.astimezone(ZoneInfo(zone))
    text = (
        f"{invitation.invited_by.full_name} invites you to Baton, where marketing hands leads to"
        f" sales.\n\nChoose a password here:\n{link}\n\n"
        f"The link works once, until {end:%d %B %Y, %H:%M} ({zone.replace('_', ' ')})."
    )
    send_letter(message, to=invitation.email, subject="Your account at Baton", text=text)


def deliver_email(message: OutboxMessage) -> None:
    """Mail the payload's ``subject`` and ``text`` to its ``to``."""
    payload = message.payload
    send_letter(message, to=payload["to"], subject=payload["subject"], text=payload["text"])


def message_id(key: str) -> str:
    """Return the Message-ID of the effect ``key``: the same at each attempt, and opaque."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"<{digest}@{urlsplit(settings.PUBLIC_URL).hostname}>"


def page_address(path: str) -> str:
    """Return the whole address of ``path``; nothing for nothing."""
    return f"{settings.PUBLIC_URL}{path}" if path else ""


def send_letter(message: OutboxMessage, *, to: str, subject: str, text: str) -> None:
    """Send one mail for a channel; called by the ``deliver`` of any app.

    Raises:
        NotSent: the server could not be reached, or refused; its words are left out, since they
            often hold the address.
    """
    letter = mail.EmailMessage(
        subject=" ".join(subject.split()),
        body=text,
        to=[to],
        headers={"Message-ID": message_id(message.key)},
    )
    server = mail.get_connection()
    try:
        server.open()
    except OSError as error:
        raise NotSent(f"The mail server cannot be reached: {type(error).__name__}") from None
    try:
        server.send_messages([letter])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        raise NotSent(f"The mail server refused: {type(error).__name__}") from None
    finally:
        server.close()

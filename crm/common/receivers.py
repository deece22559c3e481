"""What the mechanisms do when something happens to people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from crm.accounts.models import Invitation
from crm.accounts.signals import invited
from crm.common import outbox
from crm.common.mail import INVITATION


@receiver(invited, dispatch_uid="common.mail_on_invited")
def mail_on_invited(*, invitation: Invitation, now: datetime, **_: Any) -> None:
    """Write the mail with the link, in the transaction that made or renewed the invitation."""
    outbox.enqueue(
        key=f"invitation:{invitation.token_digest}",
        channel=INVITATION,
        payload={"invitation": invitation.pk},
        now=now,
        topic=f"invitation:{invitation.pk}",
    )

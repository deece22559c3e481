"""A person's notifications as signed calls to an address of theirs.

Headers and signature are those of Standard Webhooks. At least once: a repeat has the same id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from django.utils import timezone

from crm.common.mail import page_address
from crm.common.models import Notification, OutboxMessage
from crm.common.notifications import HOOK
from crm.common.outbox import NotSent, register_channel
from crm.common.outgoing import AddressRefused, CallFailed, post


def register_channels() -> None:
    """Let the outbox carry notifications to webhooks."""
    register_channel(HOOK, deliver_hook)


def deliver_hook(message: OutboxMessage) -> None:
    """Post one notification to its recipient's address, unless they have none any more.

    Raises:
        NotSent: the address may not be called, or nobody answered there.
    """
    line = Notification.objects.select_related("recipient").get(pk=message.payload["notification"])
    person = line.recipient
    if not person.is_active or not person.webhook_url:
        return
    body = json.dumps(
        {
            "type": "notification",
            "timestamp": line.created_at.isoformat(),
            "data": {"title": line.title, "body": line.body, "url": page_address(line.url)},
        }
    ).encode()
    sent_at = str(int(timezone.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": f"msg_{message.pk}",
        "webhook-timestamp": sent_at,
        "webhook-signature": signature(person.webhook_secret, f"msg_{message.pk}", sent_at, body),
    }
    try:
        post(person.webhook_url, body, headers)
    except (AddressRefused, CallFailed) as problem:
        raise NotSent(str(problem)) from None


def signature(secret: str, message_id: str, sent_at: str, body: bytes) -> str:
    """Return the signature of one call: HMAC-SHA256 under the secret of the recipient."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{sent_at}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"

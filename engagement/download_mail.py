"""The mail that brings a new link to a file; the link is made when it is sent, and kept nowhere."""

from __future__ import annotations

from crm.common.mail import send_letter
from crm.common.models import OutboxMessage
from crm.common.outbox import register_channel
from engagement.models import AssetFile
from engagement.services.downloads import LINK_LASTS, NEW_LINK, download_url
from leads.models import Lead


def register_channels() -> None:
    """Let the outbox carry new links."""
    register_channel(NEW_LINK, deliver_new_link, at_most_once=True)


def deliver_new_link(message: OutboxMessage) -> None:
    """Mail a link to the lead's own address, unless the file or the address is gone by now."""
    ids = message.payload
    file = AssetFile.objects.select_related("asset").filter(asset_id=ids["asset"]).first()
    lead = Lead.objects.filter(pk=ids["lead"]).exclude(email=None).first()
    if file is None or lead is None or not lead.email:
        return
    link = download_url(asset=file.asset, lead_id=lead.pk, now=message.created_at)
    text = f"Here is your new link to {file.asset}:\n{link}\n\nIt works for {LINK_LASTS.days} days."
    send_letter(message, to=lead.email, subject=f"Your link: {file.asset}", text=text)

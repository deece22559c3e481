"""Handing out the files of assets: by a sealed link for one lead, and with a download event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from crm.common.outbox import enqueue
from engagement import tokens
from engagement.classify import Verdict
from engagement.enums import EventKind
from engagement.models import Asset, Event
from engagement.services.deeds import record_unless_lately
from leads.models import Lead

#: How long a link hands out its file. Our choice: time to find the mail again, not to pass it on.
LINK_LASTS = timedelta(days=7)
#: The same file handed out again within this is the same download: a double click, a retry.
SAME_DOWNLOAD = timedelta(minutes=10)
NEW_LINK = "download_link"
_PURPOSE = "download"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link hands out, and to whom; an expired one hands out another link only."""

    asset: Asset
    lead_id: int
    is_expired: bool


def download_url(*, asset: Asset, lead_id: int, now: datetime) -> str:
    """Return the address that hands the asset's file to this lead, for ``LINK_LASTS`` from now."""
    token = tokens.sign(_PURPOSE, [asset.pk, lead_id], now=now)
    return f"{settings.PUBLIC_URL}{reverse('engagement:download', args=[token])}"


def ticket_of(token: str, *, now: datetime) -> Ticket | None:
    """Return what ``token`` is good for; None when it is none of ours, or its asset is gone."""
    try:
        asset_id, lead_id = tokens.read(_PURPOSE, token, now=now)
    except tokens.TokenInvalid:
        return None
    asset = Asset.objects.select_related("file").filter(pk=asset_id).first()
    if asset is None or not Lead.objects.filter(pk=lead_id).exists():
        return None
    return Ticket(asset, lead_id, is_expired=not _is_fresh(token, now))


def _is_fresh(token: str, now: datetime) -> bool:
    try:
        tokens.read(_PURPOSE, token, now=now, max_age=LINK_LASTS)
    except tokens.TokenInvalid:
        return False
    return True


def record_download(*, ticket: Ticket, now: datetime, verdict: Verdict) -> Event:
    """Record that a file was handed out; see ``SAME_DOWNLOAD``.

    ``verdict`` is who asked for it: what a robot fetches is its own event and hides no person's.
    """
    return record_unless_lately(
        lead_id=ticket.lead_id,
        kind=EventKind.DOWNLOAD,
        now=now,
        within=SAME_DOWNLOAD,
        alike={"asset": ticket.asset, "actor": verdict.actor},
        asset=ticket.asset,
        name=ticket.asset.name,
        actor=verdict.actor,
        actor_reason=verdict.reason,
    )


def send_new_link(*, ticket: Ticket, now: datetime) -> None:
    """Mail a new link to the lead of one that has ended, once an hour for a file at most.

    The mail goes to the lead's own address: who finds an old link learns and gets nothing. Links
    are made anew with each look at a page, so it is the lead and the file that are counted.
    """
    if not ticket.is_expired:
        return
    enqueue(
        key=f"download-link:{ticket.asset.pk}:{ticket.lead_id}:{now:%Y%m%d%H}",
        channel=NEW_LINK,
        payload={"asset": ticket.asset.pk, "lead": ticket.lead_id},
        now=now,
    )

"""Accepting offers, and the links by which a lead accepts without telling who it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from engagement import tokens
from engagement.enums import LinkReason
from engagement.messages import FAST_TRACK
from engagement.models import Event, Offer
from engagement.services.deeds import record_unless_lately
from engagement.services.links import link_visitor
from leads.services import survivor_of

#: How long a link in a mail accepts an offer. Our choice: mails are found again after weeks.
LINK_LASTS = timedelta(days=60)
#: Accepting an offer again within this is the same acceptance: a second click, a second form.
SAME_ACCEPTANCE = timedelta(days=1)
_PURPOSE = "offer"


class OfferClosed(Exception):
    """The offer has ended or was withdrawn."""


def offer_url(*, offer: Offer, lead_id: int, now: datetime) -> str:
    """Return the address of the offer's page at which this lead accepts with one press."""
    token = tokens.sign(_PURPOSE, [offer.pk, lead_id], now=now)
    return f"{public_url(offer)}?baton_t={token}"


def public_url(offer: Offer) -> str:
    """Return the address of the offer's page for everybody."""
    return f"{settings.PUBLIC_URL}{reverse('engagement:offer_page', args=[offer.slug])}"


def bearer_of(*, offer: Offer, token: str, now: datetime) -> int | None:
    """Return the id of the lead that ``token`` shows its bearer to be; None when it shows nobody.

    A link of this very offer does, and so does what a tracked link of a mail adds.
    """
    try:
        offer_id, lead_id = tokens.read(_PURPOSE, token, now=now, max_age=LINK_LASTS)
    except tokens.TokenInvalid:
        proof = tokens.proof_of(token, now=now)
        return proof.lead_id if proof else None
    return int(lead_id) if offer_id == offer.pk else None


@transaction.atomic
def accept_offer(
    *,
    offer: Offer,
    lead_id: int,
    now: datetime,
    anonymous_id: str = "",
) -> Event:
    """Record that a lead accepts ``offer`` by a link of its own; see ``record_acceptance``.

    Args:
        offer: what is accepted.
        lead_id: who accepts.
        now: when.
        anonymous_id: the browser's random id, where it is known: it is the lead's from then on.

    Raises:
        OfferClosed: the offer does not stand at ``now``.
    """
    lead_id = survivor_of(lead_id=lead_id)
    return record_acceptance(
        offer=offer,
        lead_id=lead_id,
        occurred_at=now,
        now=now,
        asset=offer.asset,
        name=offer.name,
        url=public_url(offer),
        properties={},
        **_visitor(anonymous_id, offer, lead_id, now),
    )


def record_acceptance(
    *,
    offer: Offer,
    lead_id: int,
    occurred_at: datetime,
    now: datetime,
    properties: Mapping[str, Any],
    **details: Any,
) -> Event:
    """Record that a lead accepted ``offer``, whichever way; again within a day it is the same act.

    The event keeps whether the offer was a fast track when it was accepted.

    Args:
        offer: what was accepted.
        lead_id: who accepted.
        occurred_at: when.
        now: when it is written down.
        properties: what the event keeps besides.
        details: further arguments of ``record_event``.

    Raises:
        OfferClosed: the offer did not stand at ``occurred_at``.
    """
    if not offer.stands(occurred_at):
        raise OfferClosed
    return record_unless_lately(
        lead_id=lead_id,
        kind=offer.event_kind,
        occurred_at=occurred_at,
        now=now,
        within=SAME_ACCEPTANCE,
        alike={"properties__offer": offer.slug},
        properties={**properties, "offer": offer.slug, FAST_TRACK: offer.is_fast_track},
        **details,
    )


def _visitor(anonymous_id: str, offer: Offer, lead_id: int, now: datetime) -> dict[str, int]:
    """Return the columns of the event that tell whose browser it was."""
    if not anonymous_id:
        return {}
    link = link_visitor(
        anonymous_id=anonymous_id,
        lead_id=lead_id,
        reason=LinkReason.OFFER_LINK,
        now=now,
        evidence=f"Accepted {offer.name}",
    )
    return {"visitor_id": link.visitor_id}

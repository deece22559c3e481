"""Keeping what a lead agreed to."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import transaction

from leads.enums import ConsentPurpose
from leads.models import Consent, Lead
from leads.signals import leads_changed, standing_changed


@transaction.atomic
def record_consent(
    *,
    lead_id: int,
    purpose: ConsentPurpose,
    text: str,
    source: str,
    asked_at: datetime,
    given_at: datetime,
    is_granted: bool = True,
) -> Consent:
    """Append what a lead agreed to, or took back, and announce it.

    Args:
        lead_id: the lead.
        purpose: what for; the other purposes stay as they are.
        text: what the person read, word for word.
        source: where, in words; cut to what the column holds.
        asked_at: when the person said so.
        given_at: since when it holds: the confirmation, where one was asked for.
        is_granted: False when it was taken back.

    Raises:
        IntegrityError: when it would hold before it was said, or was given to no text.
    """
    consent = Consent.objects.create(
        lead_id=lead_id,
        purpose=purpose,
        is_granted=is_granted,
        text=text,
        text_hash=hashlib.sha256(text.encode()).hexdigest(),
        source=source[:200],
        asked_at=asked_at,
        given_at=given_at,
    )
    changed = leads_changed if is_granted else standing_changed
    changed.send(sender=Lead, lead_ids=[lead_id], now=given_at)
    return consent

"""Keeping what a lead agreed to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.accounts.models import User
from leads.enums import ConsentChannel, ConsentPurpose
from leads.models import Consent, Lead
from leads.services.merging import survivor_of
from leads.signals import leads_changed, standing_changed


class WithdrawalRefused(Exception):
    """A consent was not taken back then; the message says why."""


@transaction.atomic
def record_consent(
    *,
    lead_id: int,
    purpose: ConsentPurpose,
    text: str,
    source: str,
    asked_at: datetime,
    given_at: datetime,
    now: datetime,
    is_granted: bool = True,
    recorded_by: User | None = None,
) -> Consent:
    """Append what a lead agreed to, or took back, and announce it.

    Args:
        lead_id: the lead.
        purpose: what for; the other purposes stay as they are.
        text: what the person read, word for word.
        source: where, in words; cut to what the column holds.
        asked_at: when the person said so.
        given_at: since when it holds: the confirmation, where one was asked for.
        now: when it is written down, maybe long after that; it is news from now on.
        is_granted: False when it was taken back.
        recorded_by: who of us was told, where it was not told to a page.

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
        recorded_by=recorded_by,
    )
    changed = leads_changed if is_granted else standing_changed
    changed.send(sender=Lead, lead_ids=[lead_id], now=now)
    return consent


@transaction.atomic
def withdraw_consent(
    *,
    lead_id: int,
    purpose: ConsentPurpose,
    channel: ConsentChannel,
    text: str,
    withdrawn_at: datetime,
    actor: User,
    now: datetime,
) -> Consent:
    """Record that somebody told a colleague that they take a consent back, given or not.

    Of a lead that was merged meanwhile it is the survivor that they speak of.

    Raises:
        WithdrawalRefused: ``withdrawn_at`` is still to come, or they have agreed again since.
    """
    if withdrawn_at > now:
        raise WithdrawalRefused("This time is still to come.")
    lead_id = survivor_of(lead_id=lead_id)
    again = Consent.objects.filter(lead=lead_id, purpose=purpose, is_granted=True)
    if later := again.filter(given_at__gt=withdrawn_at).order_by("given_at").last():
        local = timezone.localtime(later.given_at)
        raise WithdrawalRefused(
            f"They agreed again at {local:%H:%M} on {local.day} {local:%B %Y}, which holds."
        )
    return record_consent(
        lead_id=lead_id,
        purpose=purpose,
        text=text,
        source=channel.label,
        asked_at=withdrawn_at,
        given_at=withdrawn_at,
        now=now,
        is_granted=False,
        recorded_by=actor,
    )


def unsubscribe(*, told: Mapping[int, datetime], now: datetime) -> None:
    """Take back the consent to marketing mail of those who unsubscribed, in their transaction.

    ``told`` has the time of each lead. Nothing is written for whom it was taken back before, or who
    agreed again later.
    """
    said = Consent.objects.filter(lead__in=told, purpose=ConsentPurpose.MARKETING).in_force()
    last = {consent.lead_id: consent for consent in said}
    taken_back = [
        _unsubscribed(lead_id, min(at, now))
        for lead_id, at in sorted(told.items())
        if lead_id not in last or (last[lead_id].is_granted and last[lead_id].given_at <= at)
    ]
    Consent.objects.bulk_create(taken_back)
    if taken_back:
        lead_ids = [consent.lead_id for consent in taken_back]
        standing_changed.send(sender=Lead, lead_ids=lead_ids, now=now)


def _unsubscribed(lead_id: int, at: datetime) -> Consent:
    return Consent(
        lead_id=lead_id,
        purpose=ConsentPurpose.MARKETING,
        is_granted=False,
        text_hash=hashlib.sha256(b"").hexdigest(),
        source="Unsubscribed",
        asked_at=at,
        given_at=at,
    )

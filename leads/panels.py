"""What leads itself shows at the right of the lead page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from leads.enums import ConsentPurpose
from leads.models import Consent, Lead

_CONSENTS = PreparedQuery(
    lambda lead: (
        Consent.objects.filter(lead_id=lead)
        .select_related("recorded_by")
        .order_by("-given_at", "-id")
    )
)


#: By whether it wakes on an act as well.
_WAKES = {False: "Wakes up from nurture", True: "Wakes up when they act, then at the latest"}


@dataclass(frozen=True, slots=True)
class ToldConsent:
    """What a lead said to one purpose: the last word holds, ``former`` came before."""

    label: str
    last: Consent | None
    former: Sequence[Consent]


def next_step(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return what happens next with a lead and when; None when nothing is planned."""
    del viewer
    if lead.wake_at:
        return {"text": _WAKES[lead.wakes_on_act], "at": lead.wake_at, "is_late": False}
    if lead.woken_at:
        return {"text": "Woke up: to be looked at again", "at": lead.woken_at, "is_late": False}
    if not lead.next_step:
        return None
    is_late = lead.next_step_at is not None and lead.next_step_at < now
    return {"text": lead.next_step, "at": lead.next_step_at, "is_late": is_late}


def consents(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any]:
    """Return what a lead said to each purpose, the last word first."""
    del viewer, now
    said = _CONSENTS.ask(lead.pk)
    told = []
    for purpose in ConsentPurpose:
        words = [consent for consent in said if consent.purpose == purpose]
        told.append(ToldConsent(purpose.label, words[0] if words else None, words[1:]))
    return {"consents": told}

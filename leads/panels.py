"""What leads itself shows at the right of the lead page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from leads.models import Consent, Lead

_CONSENTS = PreparedQuery(lambda lead: Consent.objects.filter(lead_id=lead).in_force())


def next_step(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return what happens next with a lead and when; None when nothing is planned."""
    del viewer
    if lead.wake_at:
        return {"text": "Wakes up from nurture", "at": lead.wake_at, "is_late": False}
    if not lead.next_step:
        return None
    is_late = lead.next_step_at is not None and lead.next_step_at < now
    return {"text": lead.next_step, "at": lead.next_step_at, "is_late": is_late}


def consents(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any]:
    """Return the last word of a lead on each purpose it was asked about."""
    del viewer, now
    return {"consents": _CONSENTS.ask(lead.pk)}

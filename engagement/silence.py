"""Why nothing is known of what a lead did: nothing is tracked, or this person never was."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.models import User
from engagement.enums import SourceKind
from engagement.models import Source

_NOT_INSTALLED = "Tracking is not installed: no website has a source that is switched on."
_SILENT = "Tracking is set up, but nothing has arrived from any website yet."
_NOT_SEEN = (
    "Tracking works, but no browser is known to be this person's: consent was not given, or nobody"
    " has identified them."
)


def silence_of(lead_id: int, viewer: User, now: datetime) -> str:
    """Say why the timeline of a lead holds no act, not even that it was identified."""
    del lead_id, viewer, now
    websites = Source.objects.filter(kind=SourceKind.WEBSITE, is_active=True)
    heard = list(websites.values_list("last_received_at", flat=True))
    if not heard:
        return _NOT_INSTALLED
    return _NOT_SEEN if any(heard) else _SILENT

"""What this app keeps of a lead and a merge takes along: numbers, consents, notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Model
from django.template.defaultfilters import pluralize

from leads.merging import Follower, Kept, rekey, rekey_back
from leads.models import Consent, ExternalId, Lead, LeadMerge, Note

_ROWS: Sequence[type[Model]] = (Consent, ExternalId, Note)


def follow(merge: LeadMerge, now: datetime) -> Kept:
    """Give them to the survivor; see ``Follower``."""
    del now
    return rekey(_ROWS, merge)


def give_back(merge: LeadMerge, now: datetime) -> None:
    """Give them back; see ``Follower``."""
    del now
    rekey_back(_ROWS, merge, merge.followed["leads"])


def tell(survivor: Lead, merged: Lead) -> list[str]:
    """Say what will move."""
    del survivor
    return counted(
        {
            "note": merged.notes.count(),
            "consent": merged.consents.count(),
            "number": merged.external_ids.count(),
        }
    )


def counted(numbers: dict[str, int]) -> list[str]:
    """Return ``2 notes`` for what there is some of."""
    return [f"{number:,} {noun}{pluralize(number)}" for noun, number in numbers.items() if number]


LEAD_ROWS = Follower("leads", 10, follow, give_back, tell)

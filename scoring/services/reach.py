"""How much of a score may be asked for at once while somebody waits."""

from __future__ import annotations

from crm.common.prepared import PreparedQuery
from scoring.models import LeadScore

#: Events that are read while a person waits: one to two seconds. Our choice.
_MOST_READ = 2_000_000

_ACTS = PreparedQuery(lambda lead: LeadScore.objects.filter(lead_id=lead).values_list("acts"))


def instants_in_reach(lead_id: int, wanted: int) -> int:
    """Return at how many of so many instants the score of a lead may be asked for, at least 2."""
    acts = next((acts for (acts,) in _ACTS.rows(lead_id)), 0)
    return max(min(wanted, _MOST_READ // max(acts, 1)), 2)

"""Who may work with scoring models, and read how a score came about: whoever sees the lead."""

from __future__ import annotations

from crm.accounts.models import User
from scoring.services import ensure_model
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, Arguments, row
from tests.factories import NOW
from tests.leads.page_access import lead_of, lead_of_somebody_else


def scored_lead_of(viewer: User) -> Arguments:
    """Make the viewer's lead in a company with a published model."""
    ensure_model(now=NOW)
    return lead_of(viewer)


ROWS = [
    row("scoring:model", MARKETER, MANAGER, ADMIN),
    row("scoring:explanation", *PEOPLE, own=scored_lead_of, foreign=lead_of_somebody_else),
    row("scoring:course", *PEOPLE, own=scored_lead_of, foreign=lead_of_somebody_else),
]

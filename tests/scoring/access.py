"""Who may work with scoring models, and read how a score came about: whoever sees the lead."""

from __future__ import annotations

from crm.accounts.models import User
from scoring.models import DisqualificationReview
from scoring.services import ensure_model
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, Arguments, row
from tests.factories import NOW, make_lead
from tests.leads.page_access import lead_of, lead_of_somebody_else


def scored_lead_of(viewer: User) -> Arguments:
    """Make the viewer's lead in a company with a published model."""
    ensure_model(now=NOW)
    return lead_of(viewer)


def review_in_sample(_viewer: User) -> Arguments:
    """Make a disqualification that waits for review."""
    lead = make_lead(stage="DISQUALIFIED", stage_since=NOW)
    change = lead.stage_intervals.get(stage="DISQUALIFIED")
    review = DisqualificationReview.objects.create(change=change, draw=1, percent=10)
    return {"review_id": review.pk}


ROWS = [
    row("scoring:model", MARKETER, MANAGER, ADMIN),
    row("scoring:disqualified", MARKETER, MANAGER, ADMIN),
    row(
        "scoring:review",
        MARKETER,
        ADMIN,
        own=review_in_sample,
        method="post",
        data={"verdict": "RIGHT"},
    ),
    row("scoring:explanation", *PEOPLE, own=scored_lead_of, foreign=lead_of_somebody_else),
    row("scoring:course", *PEOPLE, own=scored_lead_of, foreign=lead_of_somebody_else),
]

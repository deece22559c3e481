"""Who may work with scoring models, and read how a score came about: whoever sees the lead."""

from __future__ import annotations

from crm.accounts.models import User
from scoring import services
from scoring.models import DisqualificationReview, PredictiveModel
from scoring.services import ensure_model, start_draft
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, Arguments, row
from tests.factories import NOW, make_lead
from tests.leads.page_access import lead_of, lead_of_somebody_else
from tests.scoring.drafts import make_draft


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


def draft_of(viewer: User) -> Arguments:
    """Make a draft of the viewer's."""
    ensure_model(now=NOW)
    return {"version": start_draft(actor=viewer, now=NOW).version}


def group_to_add(viewer: User) -> Arguments:
    """Make a draft, and name what is added to it."""
    return {**draft_of(viewer), "kind": "group"}


def draft_to_judge(viewer: User) -> Arguments:
    """Make a draft, and name what a second person does with it."""
    return {**draft_of(viewer), "act": "approve"}


def draft_to_discard(viewer: User) -> Arguments:
    """Make a draft, and name what its author does with it."""
    return {**draft_of(viewer), "act": "discard"}


def report_that_is_gone(_viewer: User) -> Arguments:
    """Name a suggestion that nobody finds: whoever may act on one is told so."""
    return {"report_id": 1, "number": 0}


def training(_viewer: User) -> Arguments:
    """Make a training that failed."""
    told = {"target": "sql", "target_label": "SQL", "state": "FAILED", "error": "Too few leads"}
    return {"model_id": PredictiveModel.objects.create(requested_at=NOW, **told).pk}


EDITORS = (MARKETER, ADMIN)
READERS = (MARKETER, MANAGER, ADMIN)


def back_tested_draft(_viewer: User) -> Arguments:
    """Make a draft with a finished back-test."""
    draft = make_draft()
    services.start_back_test(model_id=draft.pk, actor=None, now=NOW)
    while services.run_back_tests(now=NOW):
        pass
    return {"version": draft.version}


ROWS = [
    row("scoring:start", *EDITORS, method="post"),
    row("scoring:version", *READERS, own=draft_of),
    row("scoring:compare", *READERS, own=draft_of),
    row("scoring:test_leads", *READERS, own=draft_of),
    row("scoring:part_save", *EDITORS, own=draft_of, method="post"),
    row("scoring:part_remove", *EDITORS, own=draft_of, method="post", data={"open": "0"}),
    row("scoring:part_move", *EDITORS, own=draft_of, method="post", data={"open": "0"}),
    row("scoring:section_add", *EDITORS, own=group_to_add, method="post"),
    row("scoring:cell", *EDITORS, own=draft_of, method="post", data={"cell": "C2"}),
    row("scoring:undo", *EDITORS, own=draft_of, method="post"),
    row("scoring:restore", *EDITORS, own=draft_of, method="post"),
    row("scoring:judge", *READERS, own=draft_to_judge, method="post"),
    row("scoring:draft", *EDITORS, own=draft_to_discard, method="post"),
    row("scoring:quality", MARKETER, MANAGER, ADMIN),
    row("scoring:quality_csv", MARKETER, MANAGER, ADMIN),
    row("scoring:quality_measure", MARKETER, ADMIN, method="post"),
    row("scoring:quality_draft", MARKETER, ADMIN, method="post", own=report_that_is_gone),
    row("scoring:releases", MARKETER, MANAGER, ADMIN),
    row("scoring:releases_export", MARKETER, MANAGER, ADMIN),
    row("scoring:release", MARKETER, ADMIN, method="post", data={"count": "1"}),
    row("scoring:release_rate", MARKETER, ADMIN, method="post", data={"stop": "1"}),
    row("scoring:rescore_progress", MARKETER, MANAGER, ADMIN),
    row("scoring:predictive", MARKETER, MANAGER, ADMIN),
    row("scoring:predictive_model", MARKETER, MANAGER, ADMIN, own=training),
    row("scoring:predictive_progress", MARKETER, MANAGER, ADMIN, own=training),
    row("scoring:predictive_train", MARKETER, ADMIN, method="post", data={"target": "sql"}),
    row("scoring:predictive_activate", MARKETER, ADMIN, own=training, method="post"),
    row("scoring:predictive_deactivate", MARKETER, ADMIN, method="post"),
    row("scoring:prediction", *PEOPLE, own=lead_of, foreign=lead_of_somebody_else),
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
    row("scoring:back_test", *READERS, own=back_tested_draft),
    row("scoring:back_test_csv", *READERS, own=back_tested_draft),
    row("scoring:back_test_start", *EDITORS, own=back_tested_draft, method="post"),
    row("scoring:back_test_stop", *EDITORS, own=back_tested_draft, method="post"),
    row("scoring:explanation", *PEOPLE, own=scored_lead_of, foreign=lead_of_somebody_else),
    row("scoring:course", *PEOPLE, own=scored_lead_of, foreign=lead_of_somebody_else),
]

from __future__ import annotations

from datetime import timedelta

import pytest

from handoff.enums import RejectionReason
from handoff.models import Handoff
from handoff.services import accept_handoff, reject_handoff
from leads.enums import LifecycleStage
from leads.lifecycle import ScoreSnapshot
from leads.models import Lead
from leads.services import change_stage
from scoring.models import QualityReport, ScoringModel
from scoring.quality.refusals import RefusalTable, table_of
from scoring.services import measure_quality
from tests.factories import NOW, make_lead, make_team
from tests.handoff.factories import make_calendar, make_rep
from tests.scoring.logs import document, log_act, publish_model

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
DOWNLOAD = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 10}
OLD_DOWNLOAD = {**DOWNLOAD, "label": "Any file"}
MISSED = {"label": "Missed", "match": {"kind": "WEBINAR_NO_SHOW"}, "points": -5}


def make_mql(model: ScoringModel, *kinds: str, country: str = "") -> Lead:
    """Make a lead that did ``kinds`` and so became MQL under ``model``."""
    lead = make_lead(created_at=NOW - 9 * DAY, country=country)
    for kind in kinds:
        log_act(lead.pk, kind, NOW - DAY)
    snapshot = ScoreSnapshot(model_version=model.version, fit_score=None, engagement_score=None)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.MQL, now=NOW, snapshot=snapshot)
    return lead


def answer(lead: Lead, reason: RejectionReason | None) -> None:
    """Have sales refuse the MQL, or take it on."""
    make_calendar()
    rep = make_rep(make_team())
    handoff = Handoff.objects.get(lead=lead)
    Handoff.objects.filter(pk=handoff.pk).update(holder=rep)
    if reason:
        reject_handoff(handoff_id=handoff.pk, rep=rep, reason=reason, now=NOW + DAY)
    else:
        accept_handoff(handoff_id=handoff.pk, rep=rep, now=NOW + DAY)


def measured() -> RefusalTable:
    measure_quality(now=NOW + 30 * DAY)
    results = QualityReport.objects.get().results
    assert results is not None
    return table_of(results["refusals"])


def test_reasons_are_joined_to_the_lines_that_gave_points() -> None:
    model = publish_model(document(DOWNLOAD, MISSED))
    answer(make_mql(model, "DOWNLOAD", "WEBINAR_NO_SHOW"), RejectionReason.TOO_EARLY)
    answer(make_mql(model, "DOWNLOAD", country="DE"), RejectionReason.NOT_A_FIT)
    answer(make_mql(model, "DOWNLOAD"), None)
    make_mql(model, "DOWNLOAD")
    table = measured()
    assert (table.refused, table.accepted) == (2, 1)
    assert table.by_reason == {"TOO_EARLY": 1, "NOT_A_FIT": 1}
    assert [(line.label, line.by_reason, line.accepted) for line in table.lines] == [
        ("Download", {"NOT_A_FIT": 1, "TOO_EARLY": 1}, 1),
        ("Germany", {"NOT_A_FIT": 1}, 0),
    ]


def test_the_lines_are_those_of_the_model_that_made_the_mql() -> None:
    """Red with the lines of the model in force: what carried it then is gone now."""
    old = publish_model(document(OLD_DOWNLOAD), now=NOW - 50 * DAY)
    answer(make_mql(old, "DOWNLOAD"), RejectionReason.COMPETITOR)
    publish_model(document(DOWNLOAD), now=NOW + DAY)
    assert [line.label for line in measured().lines] == ["Any file"]


def test_mqls_without_a_model_are_left_out() -> None:
    publish_model(document(DOWNLOAD))
    lead = make_lead(created_at=NOW - DAY)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.MQL, now=NOW)
    answer(lead, RejectionReason.TOO_EARLY)
    assert measured() == RefusalTable(0, 0, {}, ())

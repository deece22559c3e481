from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from scoring.services import explain, mark_due
from tests.factories import NOW, make_lead
from tests.scoring.logs import (
    document,
    log_act,
    log_many,
    make_asset,
    publish_model,
    score_of,
    settle,
)

pytestmark = pytest.mark.django_db


def test_acts_of_1970_and_of_the_future_break_no_sum() -> None:
    publish_model()
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", datetime(1970, 1, 1, tzinfo=UTC))
    log_act(lead.pk, "DOWNLOAD", NOW)
    log_act(lead.pk, "DOWNLOAD", NOW + timedelta(days=400))
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    assert score_of(lead).engagement_score == Decimal("10.0")
    assert explain(lead_id=lead.pk, as_of=NOW).engagement_lines[0].text == "Download, 2 times"


def test_very_many_acts_of_one_lead_stay_within_the_scale() -> None:
    repeated = {
        "label": "100 in a day",
        "match": {"kind": "DOWNLOAD"},
        "points": 5,
        "repeat": {"times": 100, "days": 1},
    }
    often = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 100}
    publish_model(document(often, repeated))
    lead = make_lead(created_at=NOW - timedelta(days=1))
    log_many(lead.pk, 20_000)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert [(line.text, line.points) for line in told.engagement_lines] == [
        ("Download, 20,000 times", Decimal("100.0")),
        ("100 in a day", Decimal("5.0")),
        ("Over the limit of 100 for Acts", Decimal("-5.0")),
    ]
    assert score_of(lead).engagement_score == Decimal("100.0")


def test_one_asset_opened_very_often_is_one_asset() -> None:
    rule = {
        "label": "2 different assets in 7 days",
        "match": {"kind": "PAGE_VIEW"},
        "points": 5,
        "repeat": {"times": 2, "days": 7, "different_assets": True},
    }
    publish_model(document(rule))
    lead = make_lead(created_at=NOW - timedelta(days=9))
    make_asset("guide")
    make_asset("case")
    for hours in range(24):
        log_act(lead.pk, "PAGE_VIEW", NOW - timedelta(hours=hours), asset="guide")
    assert explain(lead_id=lead.pk, as_of=NOW).engagement_score == 0

    log_act(lead.pk, "PAGE_VIEW", NOW - timedelta(days=7, hours=23), asset="case")
    assert explain(lead_id=lead.pk, as_of=NOW).engagement_score == 0

    log_act(lead.pk, "PAGE_VIEW", NOW - timedelta(days=7, hours=22), asset="case")
    assert explain(lead_id=lead.pk, as_of=NOW).engagement_score == 5

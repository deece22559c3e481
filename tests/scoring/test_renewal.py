from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections

from leads.enums import LifecycleStage
from leads.models import Lead
from scoring.models import LeadScore, ScoringModel
from scoring.services import mark_due, renew_scores, score_due_leads
from scoring.services.renewal import _ADVISORY_LOCK
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, force_model, log_act, publish_model, score_of, settle

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LATER = NOW + DAY
#: Twice the points of the small model.
DOUBLE = document(
    {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 20, "half_life_days": 10}
)


def publish_anew() -> ScoringModel:
    return force_model(DOUBLE, now=LATER)


def renew(limit: int = 10_000) -> list[int]:
    counts = []
    while count := renew_scores(now=LATER, limit=limit):
        counts.append(count)
    return counts


def scored_lead(downloads: int = 1, **fields: object) -> Lead:
    lead = make_lead(created_at=NOW - 9 * DAY, **fields)
    for _ in range(downloads):
        log_act(lead.pk, "DOWNLOAD", NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)
    return lead


def test_publishing_renews_every_score_even_of_leads_never_scored() -> None:
    publish_model()
    scored = scored_lead()
    settle()
    never_scored = make_lead(country="DE")
    log_act(never_scored.pk, "DOWNLOAD", LATER)
    model = publish_anew()

    assert renew() == [2]

    assert score_of(scored).engagement_score == Decimal("18.7")
    score = score_of(never_scored)
    assert score.engagement_score == 20
    assert (score.cell, score.model) == ("B4", model)
    assert (score.computed_at, score.news_at) == (LATER, None)


def test_a_renewal_goes_range_by_range_and_ends() -> None:
    publish_model()
    for _ in range(5):
        make_lead()
    model = publish_anew()
    assert renew(limit=2) == [2, 2, 1]
    model.refresh_from_db()
    assert model.rescored_up_to is None


def test_a_renewal_moves_nobody_but_shows_who_meets_the_definition() -> None:
    publish_model()
    lead = scored_lead(3, country="DE")
    settle()
    publish_anew()
    renew()
    settle(LATER)
    assert Lead.objects.get().stage == LifecycleStage.LEAD
    assert score_of(lead).meets_definition


def test_the_forecast_follows_with_the_next_sweep() -> None:
    publish_model()
    lead = scored_lead(3, country="DE")
    settle()
    publish_anew()
    renew()
    assert score_of(lead).drops_out_at is None
    settle(LATER)
    # 60 points a day old are 55.98; below 49.95 after 10 d * log2(55.98 / 49.95) = 2368.7 min
    assert score_of(lead).drops_out_at == LATER + timedelta(minutes=2369)


def test_news_that_arrive_before_the_renewal_stay_due() -> None:
    publish_model()
    hot, cold = scored_lead(3, country="DE"), scored_lead(1)
    publish_anew()
    mark_due(lead_ids=[hot.pk, cold.pk], now=LATER)
    renew()
    assert {score.score_due_at for score in LeadScore.objects.all()} == {LATER}
    settle(LATER)
    assert Lead.objects.get(pk=hot.pk).stage == LifecycleStage.MQL


def test_a_score_that_the_sweep_computed_meanwhile_is_not_overwritten() -> None:
    publish_model()
    lead = scored_lead()
    publish_anew()
    log_act(lead.pk, "DOWNLOAD", LATER + DAY)
    mark_due(lead_ids=[lead.pk], now=LATER + DAY)
    settle(LATER + DAY)
    fresh = score_of(lead)
    renew()
    assert score_of(lead).engagement_score == fresh.engagement_score
    assert score_of(lead).computed_at == LATER + DAY


def test_what_is_left_undone_is_done_under_the_newest_model_only() -> None:
    publish_model()
    make_lead()
    unfinished = publish_anew()
    newest = publish_anew()
    renew()
    unfinished.refresh_from_db()
    assert unfinished.rescored_up_to is None
    assert LeadScore.objects.get().model == newest


def test_two_renewals_at_once_do_the_work_once() -> None:
    make_lead()
    publish_anew()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
            assert renew_scores(now=LATER) == 0
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])
        assert renew_scores(now=LATER) == 1
    finally:
        other.close()


def test_without_a_publication_there_is_nothing_to_renew() -> None:
    publish_model()
    make_lead()
    assert renew_scores(now=LATER) == 0
    assert score_due_leads(now=LATER) == 0

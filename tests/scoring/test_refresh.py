from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.common.models import Heartbeat
from engagement.enums import EventKind
from engagement.services import record_event
from leads.enums import LifecycleStage
from leads.services import change_stage, create_lead, update_lead
from scoring.models import LeadScore
from scoring.services import mark_due, renew_scores, score_due_leads, start_renewal
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, log_act, publish_model, score_of, settle
from tests.settings_of_session import session_setting

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_an_act_is_scored_by_the_next_sweep() -> None:
    publish_model()
    lead = make_lead(country="DE")
    record_event(lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=NOW - 10 * DAY, now=NOW)
    record_event(lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=NOW, now=NOW)

    assert score_due_leads(now=NOW) == 1

    score = score_of(lead)
    assert (score.engagement_score, score.engagement_level) == (Decimal("15.0"), 4)
    assert (score.fit_score, score.fit_grade, score.persona) == (
        Decimal(70),
        "B",
        "Maintenance lead",
    )
    assert (score.cell, score.meets_definition, score.computed_at) == ("B4", False, NOW)


def test_a_second_sweep_finds_nothing() -> None:
    publish_model()
    record_event(lead_id=make_lead().pk, kind=EventKind.DOWNLOAD, occurred_at=NOW, now=NOW)
    assert [score_due_leads(now=NOW), score_due_leads(now=NOW)] == [1, 0]


def test_fit_without_any_knowledge_is_not_evaluated_and_never_0() -> None:
    publish_model()
    lead = make_lead(country="")
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    score = score_of(lead)
    assert (score.fit_score, score.fit_grade, score.cell, score.persona) == (None, "", "", "")
    assert score.engagement_score == 0


def test_a_changed_attribute_changes_the_fit() -> None:
    publish_model()
    lead = make_lead(country="US")
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    assert score_of(lead).fit_score == 50
    update_lead(lead_id=lead.pk, now=NOW, country="DE")
    settle()
    assert score_of(lead).fit_score == 70


def test_a_new_lead_is_scored() -> None:
    publish_model()
    lead = create_lead(now=NOW, email="ines@example.com", country="DE")
    settle()
    assert score_of(lead).cell == "B4"


def test_time_alone_asks_for_a_score_when_the_whole_number_changes() -> None:
    publish_model()
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW - 30 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - 30 * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    score = score_of(lead)
    assert score.engagement_score == Decimal("2.5")
    assert score.changes_at is not None

    LeadScore.objects.update(score_due_at=score.changes_at)
    assert score_due_leads(now=score.changes_at - timedelta(seconds=1)) == 0
    assert score_due_leads(now=score.changes_at) == 1
    assert score_of(lead).engagement_score == Decimal("1.9")


def test_a_score_that_nothing_can_change_is_never_looked_at_again() -> None:
    publish_model()
    lead = make_lead()
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    assert score_of(lead).score_due_at is None


def test_the_score_of_a_week_ago_is_kept_for_the_arrow() -> None:
    publish_model()
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW - 17 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    score = score_of(lead)
    assert (score.engagement_score, score.engagement_week_ago) == (Decimal("13.1"), Decimal("5.0"))


def test_the_start_of_the_arrow_is_looked_at_when_its_whole_number_changes() -> None:
    publish_model()
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW - 30 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - 30 * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    # a week ago 20 points * 0.5 ** 2.3 = 4.0613; below 3.95 after 10 d * log2(1.02818) = 577.1 min
    due_at = score_of(lead).score_due_at
    assert due_at == NOW + timedelta(minutes=578)
    assert score_of(lead).engagement_week_ago == Decimal("4.1")
    assert score_due_leads(now=due_at) == 1
    assert score_of(lead).engagement_week_ago == Decimal("3.9")


def test_the_arrow_is_looked_at_again_when_the_first_act_of_its_week_is_a_week_old() -> None:
    publish_model(document({"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 10}))
    lead = make_lead()
    for days in (30, 5, 2):
        log_act(lead.pk, "DOWNLOAD", NOW - days * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    looked_at = []
    moment: datetime | None = NOW
    while moment:
        settle(moment)
        looked_at.append((moment, score_of(lead).engagement_week_ago))
        moment = score_of(lead).score_due_at
    assert looked_at == [
        (NOW, Decimal(10)), (NOW + 2 * DAY, Decimal(20)), (NOW + 5 * DAY, Decimal(30))
    ]  # fmt: skip


def test_the_arrow_is_looked_at_again_when_a_new_cycle_is_a_week_old() -> None:
    publish_model(document({"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 10}))
    lead = make_lead(created_at=NOW - 60 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - 30 * DAY)
    for stage, days in (("MQL", 20), ("RECYCLED", 6)):
        change_stage(lead_id=lead.pk, to_stage=LifecycleStage(stage), now=NOW - days * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    arrows = []
    for moment in (NOW, NOW + DAY):
        settle(moment)
        arrows.append((score_of(lead).engagement_week_ago, score_of(lead).score_due_at))
    assert arrows == [(Decimal(10), NOW + DAY), (Decimal(0), None)]


def test_acts_that_made_up_for_one_another_move_the_arrow_as_its_week_passes() -> None:
    up = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 10}
    down = {"label": "Unsubscribed", "match": {"kind": "UNSUBSCRIBE"}, "points": -10}
    publish_model(document(up, down))
    lead = make_lead(created_at=NOW - 60 * DAY)
    for kind, days in (("DOWNLOAD", 30), ("DOWNLOAD", 30), ("UNSUBSCRIBE", 5), ("DOWNLOAD", 1)):
        log_act(lead.pk, kind, NOW - days * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    arrows = []
    for moment in (NOW, NOW + 4 * DAY, NOW + 8 * DAY, NOW + 9 * DAY):
        settle(moment)
        score = score_of(lead)
        arrows.append(f"{score.engagement_week_ago} to {score.engagement_score}")
    assert arrows == ["20.0 to 20.0", "10.0 to 20.0", "20.0 to 20.0", "20.0 to 20.0"]
    assert score.score_due_at is None


def test_relative_dates_are_looked_at_every_day() -> None:
    newcomers = {"field": "created", "op": "within", "value": "7d"}
    publish_model(document(disqualifiers=[{"reason": "New", "criteria": newcomers}]))
    lead = make_lead(created_at=NOW - 60 * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    assert score_of(lead).score_due_at == NOW + DAY


def test_the_day_on_which_a_lead_drops_out_is_foreseen() -> None:
    publish_model()
    lead = make_lead(country="DE", stage="MQL")
    for _ in range(6):
        log_act(lead.pk, "DOWNLOAD", NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    score = score_of(lead)
    # 60 points fall to 49.95 in 10 d * log2(60 / 49.95) = 3808.7 min
    assert (score.cell, score.meets_definition) == ("B2", True)
    assert score.drops_out_at == NOW + timedelta(minutes=3809)


def test_without_a_published_model_nothing_is_scored_and_nothing_is_lost() -> None:
    lead = make_lead()
    mark_due(lead_ids=[lead.pk], now=NOW)
    assert score_due_leads(now=NOW) == 0
    publish_model()
    assert score_due_leads(now=NOW) == 1


def test_a_sweep_leaves_a_heartbeat_with_its_backlog() -> None:
    publish_model()
    leads = [make_lead().pk for _ in range(3)]
    mark_due(lead_ids=leads, now=NOW)
    score_due_leads(now=NOW, limit=1)
    beat = Heartbeat.objects.get(loop="score_due_leads")
    assert (beat.backlog, beat.oldest_due_at) == (2, NOW)


def test_marking_twice_is_one_row_with_the_latest_news() -> None:
    lead = make_lead()
    mark_due(lead_ids=[lead.pk, lead.pk], now=NOW)
    mark_due(lead_ids=[lead.pk], now=NOW + DAY)
    score = LeadScore.objects.get()
    assert (score.news_at, score.score_due_at) == (NOW + DAY, NOW + DAY)


@pytest.mark.parametrize("leads", [1, 30])
def test_a_batch_costs_the_same_number_of_queries_whatever_its_size(leads: int) -> None:
    publish_model()
    ids = [make_lead(country="DE").pk for _ in range(leads)]
    for lead_id in ids:
        log_act(lead_id, "DOWNLOAD")
    for _ in range(2):  # the rules are read once a process
        mark_due(lead_ids=ids, now=NOW)
        with CaptureQueriesContext(connection) as queries:
            score_due_leads(now=NOW)
    # due, savepoint, claim, model, score, week, news, fast track, write, release, backlog, beat
    assert len(queries) == 12


def test_a_round_with_nothing_due_asks_once_and_leaves_its_heartbeat() -> None:
    publish_model()
    mark_due(lead_ids=[make_lead().pk], now=NOW + DAY)
    with CaptureQueriesContext(connection) as queries:
        assert score_due_leads(now=NOW) == 0
    assert len(queries) == 2
    assert Heartbeat.objects.get(loop="score_due_leads").succeeded_at == NOW


def test_a_batch_of_disqualified_leads_costs_the_same_whatever_its_size() -> None:
    """Red when each lead is asked about on its own whether it was pardoned."""
    abroad = {"field": "country", "op": "in", "value": ["AT"]}
    publish_model(document(disqualifiers=[{"reason": "Abroad", "criteria": abroad}]))
    counts = []
    for leads in (1, 1, 5):  # the rules are read once a process
        ids = [make_lead(country="AT", cycle=2, stage="RECYCLED").pk for _ in range(leads)]
        mark_due(lead_ids=ids, now=NOW)
        with CaptureQueriesContext(connection) as queries:
            score_due_leads(now=NOW)
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_one_bad_lead_does_not_keep_the_others_from_their_scores(
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish_model()
    good, bad = make_lead(), make_lead()
    for lead in (good, bad):
        log_act(lead.pk, "DOWNLOAD")
    mark_due(lead_ids=[good.pk, bad.pk], now=NOW)
    with broken_for(bad.pk):
        score_due_leads(now=NOW)
    assert score_of(good).engagement_score == 10
    assert (score_of(bad).engagement_score, score_of(bad).score_due_at) == (
        None, NOW + timedelta(minutes=5)
    )  # fmt: skip
    assert f"Could not score lead {bad.pk}" in caplog.text

    assert score_due_leads(now=NOW + timedelta(minutes=5)) == 1
    assert score_of(bad).engagement_score == Decimal("10.0")


def test_a_lead_whose_score_takes_too_long_does_not_keep_the_others_from_theirs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Red when a timeout ends the round: no neighbour is ever scored."""
    publish_model()
    slow, *others = (make_lead() for _ in range(4))
    mark_due(lead_ids=[lead.pk for lead in (slow, *others)], now=NOW)
    with slow_for(slow.pk), session_setting("statement_timeout", "500ms"):
        score_due_leads(now=NOW)
    assert [score_of(lead).computed_at for lead in others] == [NOW] * 3
    assert score_of(slow).score_due_at == NOW + timedelta(minutes=5)
    assert f"Could not score lead {slow.pk}" in caplog.text

    assert score_due_leads(now=NOW + timedelta(minutes=5)) == 1
    assert score_of(slow).computed_at == NOW + timedelta(minutes=5)


@contextmanager
def slow_for(lead_id: int, seconds: float = 9) -> Iterator[None]:
    """Have the database take seconds over any score of one lead."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE;"
            "CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql"
            f" AS 'BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END';"
            "CREATE TRIGGER take_long BEFORE UPDATE OF computed_at ON scoring_leadscore"
            f" FOR EACH ROW WHEN (NEW.lead_id = {lead_id}) EXECUTE FUNCTION take_long()"
        )
        yield
        cursor.execute("DROP FUNCTION take_long CASCADE")


@contextmanager
def broken_for(lead_id: int) -> Iterator[None]:
    """Have the database refuse any score of one lead, as a broken value would."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE scoring_leadscore"
            f" ADD CONSTRAINT broken CHECK (lead_id <> {lead_id} OR computed_at IS NULL)"
        )
        yield
        cursor.execute("ALTER TABLE scoring_leadscore DROP CONSTRAINT broken")


def test_older_news_that_comes_to_be_known_late_do_not_hide_the_latest() -> None:
    lead = make_lead()
    for told_at in (NOW, NOW - timedelta(hours=1)):
        mark_due(lead_ids=[lead.pk], now=told_at)
    mark_due(lead_ids=[lead.pk], now=NOW, is_news=False)
    assert score_of(lead).news_at == NOW


def test_a_score_knows_how_many_acts_it_came_from() -> None:
    publish_model()
    lead = make_lead()
    for days in range(3):
        record_event(
            lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=NOW - days * DAY, now=NOW
        )
    record_event(lead_id=lead.pk, kind=EventKind.IDENTIFY, occurred_at=NOW, now=NOW)
    score_due_leads(now=NOW)
    assert score_of(lead).acts == 3

    LeadScore.objects.update(acts=0)
    start_renewal()
    assert renew_scores(now=NOW)
    assert score_of(lead).acts == 3

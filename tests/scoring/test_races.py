"""Sweeps, absorbers and people at once, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import TypeVar

import pytest
from django.db import connection, connections, transaction

from crm.accounts.enums import Role
from engagement.enums import EventKind
from engagement.services import record_event
from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval
from leads.services import change_stage
from leads.signals import stage_changed
from scoring.columns import load_chances
from scoring.models import LeadPrediction, PredictiveModel
from scoring.services import (
    GateClosed,
    create_draft,
    mark_due,
    publish,
    published_model,
    score_due_leads,
)
from scoring.services.hits import count_rule_hits
from scoring.services.predicting import EVERY, activate, renew_predictions
from tests.concurrency import in_thread, somebody_waits_for_a_lock, wait_until_blocked
from tests.factories import NOW, make_lead, make_user
from tests.processes import wait_for
from tests.scoring.drafts import ready_draft
from tests.scoring.logs import document, log_act, publish_model, score_of
from tests.scoring.test_predictions import make_trained

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
GATE = 4_711


@contextmanager
def gate_before_writing() -> Iterator[Callable[[], None]]:
    """Stop every sweep between computing and writing, until the gate is opened."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION test_gate() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NEW; END $$;
            CREATE TRIGGER test_gate BEFORE UPDATE ON scoring_leadscore FOR EACH ROW
            WHEN (NEW.computed_at IS DISTINCT FROM OLD.computed_at) EXECUTE FUNCTION test_gate();
            SELECT pg_advisory_lock({GATE});
            """
        )
        try:
            yield lambda: cursor.execute(f"SELECT pg_advisory_unlock({GATE})")
        finally:
            cursor.execute("SELECT pg_advisory_unlock_all(); DROP FUNCTION test_gate CASCADE")


def test_an_act_that_arrives_while_its_lead_is_scored_is_not_lost() -> None:
    publish_model()
    lead = make_lead()
    mark_due(lead_ids=[lead.pk], now=NOW)
    later = NOW + timedelta(seconds=1)
    with ThreadPoolExecutor() as pool, gate_before_writing() as open_gate:
        sweep = in_thread(pool, lambda: score_due_leads(now=NOW))
        wait_for(somebody_waits_for_a_lock)
        act = in_thread(
            pool,
            lambda: record_event(
                lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=NOW, now=later
            ),
        )
        wait_until_blocked(act, beside=1)
        open_gate()
        sweep.result()
        act.result()
    assert score_of(lead).score_due_at == later
    assert score_due_leads(now=later) == 1
    assert score_of(lead).engagement_score == 10


def test_a_sweep_passes_by_what_another_one_holds() -> None:
    publish_model()
    held, free = make_lead(), make_lead()
    mark_due(lead_ids=[held.pk, free.pk], now=NOW)
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM scoring_leadscore WHERE lead_id = %s FOR UPDATE", [held.pk]
            )
            assert score_due_leads(now=NOW) == 1
        other.rollback()
    finally:
        other.close()
    assert score_of(held).computed_at is None
    assert score_of(free).computed_at == NOW


@pytest.mark.parametrize("has_former", [True, False])
def test_of_two_drafts_published_at_once_the_second_has_to_be_judged_beside_the_first(
    has_former: bool,
) -> None:
    if has_former:
        publish_model()
    first, second = ready_draft(), ready_draft()
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            publish(model_id=first.pk, now=NOW)
            other = in_thread(pool, lambda: publish(model_id=second.pk, now=NOW))
            wait_for(somebody_waits_for_a_lock)
        with pytest.raises(GateClosed, match="came into force since"):
            other.result()
    assert published_model() == first


def test_drafts_written_at_once_are_versions_of_their_own() -> None:
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            first = create_draft(definition=document(), now=NOW)
            other = in_thread(pool, lambda: create_draft(definition=document(), now=NOW))
            wait_for(somebody_waits_for_a_lock)
        assert other.result().version == first.version + 1


def test_two_sweeps_at_once_make_one_mql() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - timedelta(days=1))
    for _ in range(6):
        log_act(lead.pk, "DOWNLOAD")
    mark_due(lead_ids=[lead.pk], now=NOW)
    with ThreadPoolExecutor() as pool, gate_before_writing() as open_gate:
        sweeps = [in_thread(pool, lambda: score_due_leads(now=NOW)) for _ in range(2)]
        wait_for(somebody_waits_for_a_lock)
        open_gate()
        assert sorted(sweep.result() for sweep in sweeps) in ([0, 1], [1, 1])
    stages = StageInterval.objects.filter(lead=lead).order_by("sequence")
    assert list(stages.values_list("stage", flat=True)) == ["LEAD", "MQL"]


def test_a_person_who_moves_the_lead_first_wins(caplog: pytest.LogCaptureFixture) -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - timedelta(days=1))
    for _ in range(6):
        log_act(lead.pk, "DOWNLOAD")
    mark_due(lead_ids=[lead.pk], now=NOW)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            Lead.objects.select_for_update(no_key=True).get(pk=lead.pk)
            sweep = in_thread(pool, lambda: score_due_leads(now=NOW))
            wait_for(somebody_waits_for_a_lock)
            change_stage(lead_id=lead.pk, to_stage=LifecycleStage.DISQUALIFIED, now=NOW)
        sweep.result()
    stages = StageInterval.objects.filter(lead=lead).order_by("sequence")
    assert list(stages.values_list("stage", flat=True)) == ["LEAD", "DISQUALIFIED"]
    assert caplog.messages == []
    assert score_due_leads(now=NOW) == 0


def make_qualified() -> Lead:
    lead = make_lead(country="DE", created_at=NOW - timedelta(days=1))
    for _ in range(6):
        log_act(lead.pk, "DOWNLOAD")
    mark_due(lead_ids=[lead.pk], now=NOW)
    return lead


@contextmanager
def on_a_move(act: Callable[[], object]) -> Iterator[None]:
    """Have something happen within the first move that a sweep makes."""

    def react(**_: object) -> None:
        stage_changed.disconnect(react)
        act()

    stage_changed.connect(react)
    try:
        yield
    finally:
        stage_changed.disconnect(react)


def test_who_was_to_move_by_a_model_that_is_replaced_meanwhile_is_judged_by_the_next_one() -> None:
    publish_model()
    first, second = make_qualified(), make_qualified()
    later = NOW + timedelta(seconds=1)
    strict = document(mql={"cells": ["A1"]})
    with on_a_move(lambda: publish_model(strict, now=later)):
        score_due_leads(now=NOW)
    assert score_of(second).score_due_at == NOW
    score_due_leads(now=later)
    assert score_of(second).model == published_model()
    mqls = StageInterval.objects.filter(stage="MQL")
    assert list(mqls.values_list("lead_id", flat=True)) == [first.pk]


def test_a_move_that_has_begun_is_made_before_another_model_comes_into_force() -> None:
    publish_model()
    lead = make_qualified()
    begun, go_on = Event(), Event()

    def wait() -> None:
        begun.set()
        go_on.wait(10)

    with ThreadPoolExecutor() as pool, on_a_move(wait):
        sweep = in_thread(pool, lambda: score_due_leads(now=NOW))
        begun.wait(10)
        other = in_thread(pool, publish_model)
        wait_until_blocked(other)
        assert not other.done()
        go_on.set()
        sweep.result()
        other.result()
    assert StageInterval.objects.filter(lead=lead, stage="MQL").exists()


def test_the_shown_prediction_changes_while_a_round_is_at_work() -> None:
    actor = make_user(Role.MARKETER)
    first, second = make_trained(), make_trained()
    activate(model_id=first.pk, actor=actor, now=NOW)
    lead = make_lead()
    assert [renew_predictions(now=NOW) for _ in range(2)] == [1, 0]
    LeadPrediction.objects.update(chance=0)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            LeadPrediction.objects.select_for_update().get(lead=lead)
            next_round = in_thread(pool, lambda: renew_predictions(now=NOW + EVERY))
            wait_until_blocked(next_round)
            change = in_thread(pool, lambda: activate(model_id=second.pk, actor=actor, now=NOW))
            wait_until_blocked(change, beside=1)
        assert next_round.result() == 1
        change.result()
    assert PredictiveModel.objects.active().get() == second
    assert load_chances([lead.pk], actor, NOW) == {}


def test_hits_are_not_counted_twice_at_the_same_time() -> None:
    model = publish_model()

    def count() -> None:
        count_rule_hits(model_id=model.pk, now=NOW)

    with ThreadPoolExecutor() as pool, transaction.atomic():
        count()
        second = in_thread(pool, count)
        wait_until_blocked(second)
        assert second.done()
        assert second.exception() is None

"""Leads that meet the definition by a publication go to sales: nobody twice, nobody lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from crm.accounts.enums import Role
from leads.enums import ConsentPurpose, LifecycleStage
from leads.models import Lead, StageInterval
from leads.services import change_stage, record_consent
from scoring.models import MetBefore, ReleasePlan, ReleaseWave, WaveLead
from scoring.services import (
    NothingToRelease,
    PlanRefused,
    mark_due,
    order_wave,
    release_waves,
    renew_scores,
    score_due_leads,
    start_plan,
    stop_plan,
    waiting_leads,
)
from tests.concurrency import in_thread, wait_until_blocked, waiting_for_a_lock
from tests.factories import NOW, make_lead, make_user
from tests.processes import wait_for
from tests.scoring.logs import document, failing_for, force_model, log_act, publish_model, settle

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PUBLISHED_AT = NOW + HOUR
#: Who is from Germany reaches B4 with one act: in the later definition only. Others reach C4.
WIDE = document(mql={"cells": ["A1", "B1", "B4"]})
WIDE["fit"]["base"] = 40
GERMANY = {"field": "country", "op": "in", "value": ["DE"]}


def scored_leads(count: int) -> list[Lead]:
    leads = [make_lead(country="DE", created_at=NOW - DAY) for _ in range(count)]
    for number, lead in enumerate(leads):
        for _ in range(number % 2 + 1):
            log_act(lead.pk, "DOWNLOAD", NOW)
    mark_due(lead_ids=[lead.pk for lead in leads], now=NOW)
    settle()
    return leads


def widened(count: int = 3, definition: dict[str, Any] | None = None) -> list[Lead]:
    """Publish a wider definition that ``count`` leads newly meet."""
    publish_model()
    leads = scored_leads(count)
    force_model(definition or WIDE, now=PUBLISHED_AT)
    while renew_scores(now=PUBLISHED_AT):
        pass
    return leads


def release(now: Any = PUBLISHED_AT + HOUR) -> int:
    rounds = 0
    while release_waves(now=now, limit=2):
        rounds += 1
        assert rounds < 50, "the sweep never ends"
    return rounds


def order(**fields: Any) -> ReleaseWave:
    return order_wave(**{"actor": make_user(Role.MARKETER), "now": PUBLISHED_AT, **fields})


def stages() -> list[str]:
    return list(Lead.objects.order_by("pk").values_list("stage", flat=True))


def test_publishing_moves_nobody_and_lists_who_newly_meets_the_definition() -> None:
    leads = widened(2)
    make_lead(country="US", created_at=NOW - DAY)
    settle(PUBLISHED_AT)
    assert stages() == ["LEAD"] * 3
    assert set(chain(*waiting_leads(now=PUBLISHED_AT))) == set(leads)


def test_who_met_the_former_definition_already_does_not_wait() -> None:
    publish_model(WIDE)
    lead = make_lead(country="DE", created_at=NOW - 200 * DAY, imported_at=NOW - 100 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - 101 * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    [newcomer] = scored_leads(0) or [make_lead(country="US", created_at=NOW - DAY)]
    assert newcomer.stage == "LEAD"
    force_model(document(mql={"cells": ["B4", "C4"]}), now=PUBLISHED_AT)
    renew_scores(now=PUBLISHED_AT)

    assert list(chain(*waiting_leads(now=PUBLISHED_AT))) == [newcomer]
    assert list(MetBefore.objects.values_list("lead", flat=True)) == [lead.pk]


def test_who_waits_goes_on_waiting_under_the_next_model() -> None:
    leads = widened(2)
    order(lead_ids=[leads[0].pk])
    force_model(document(mql={"cells": ["B4", "C1"]}), now=PUBLISHED_AT + HOUR)
    renew_scores(now=PUBLISHED_AT + HOUR)
    release(PUBLISHED_AT + 2 * HOUR)
    assert WaveLead.objects.get().left_out == "Model v2 is no longer in force"
    assert set(chain(*waiting_leads(now=PUBLISHED_AT))) == set(leads)


def test_fresh_news_move_a_lead_that_waits_without_a_wave() -> None:
    lead, other = widened(2)
    log_act(lead.pk, "DOWNLOAD", PUBLISHED_AT + HOUR)
    mark_due(lead_ids=[lead.pk], now=PUBLISHED_AT + HOUR)
    settle(PUBLISHED_AT + HOUR)
    assert list(chain(*waiting_leads(now=PUBLISHED_AT))) == [other]
    assert StageInterval.objects.get(lead=lead, stage="MQL").rule.startswith("Cell B4")


def test_the_next_ones_are_released_the_best_first() -> None:
    leads = widened(4)
    wave = order(count=2)
    assert release() == 1

    assert stages() == ["LEAD", "MQL", "LEAD", "MQL"]
    move = StageInterval.objects.get(lead=leads[1], stage="MQL")
    assert move.rule == "Released by hand: cell B4 is in the definition of model v2"
    assert (move.actor, move.model_version, move.cell) == (wave.ordered_by, 2, "B4")
    assert move.engagement_score is not None
    assert wave.leads.filter(released_at=PUBLISHED_AT + HOUR).count() == 2


def test_two_orders_of_the_next_ones_are_different_leads() -> None:
    widened(4)
    order(count=2)
    order(count=2)
    with pytest.raises(NothingToRelease):
        order(count=2)
    release()
    assert stages() == ["MQL"] * 4


def test_who_cannot_be_released_is_left_out_and_named() -> None:
    moved, consentless, cold, back, held, good = leads = widened(6)
    wave = order(lead_ids=[lead.pk for lead in leads[:4]] + [good.pk, good.pk, 987_654])
    change_stage(lead_id=moved.pk, to_stage=LifecycleStage.MQL, now=PUBLISHED_AT, rule="By hand")
    record_consent(
        lead_id=consentless.pk, purpose=ConsentPurpose.CONTACT, is_granted=False, text="",
        source="Phone", asked_at=PUBLISHED_AT, given_at=PUBLISHED_AT,
        now=PUBLISHED_AT,
    )  # fmt: skip
    Lead.objects.filter(pk=cold.pk).update(country="US")
    for stage in (LifecycleStage.DISQUALIFIED, LifecycleStage.LEAD):
        change_stage(lead_id=back.pk, to_stage=stage, now=PUBLISHED_AT + HOUR / 2, reason="Test")

    release()

    told = dict(wave.leads.values_list("lead", "left_out"))
    assert told == {
        moved.pk: "is MQL already",
        consentless.pk: "took back the consent to be contacted",
        cold.pk: "no longer meets the definition: C4",
        back.pk: "was moved since the wave was ordered",
        good.pk: "",
    }
    settle(PUBLISHED_AT + HOUR)
    assert set(chain(*waiting_leads(now=PUBLISHED_AT))) == {consentless, held}
    assert list(order(count=5).leads.values_list("lead", flat=True)) == [held.pk]


def test_blocked_and_disqualified_leads_are_left_out_with_their_rule() -> None:
    blocked, out = widened(
        2,
        document(
            mql={"cells": ["B4"], "blocking": [{"label": "Free mail", "criteria": asks("a")}]},
            disqualifiers=[{"reason": "Competitor", "criteria": asks("b")}],
        ),
    )
    wave = order(count=2)
    Lead.objects.filter(pk=blocked.pk).update(company_name="a")
    Lead.objects.filter(pk=out.pk).update(company_name="b")
    release()
    assert dict(wave.leads.values_list("lead", "left_out")) == {
        blocked.pk: "is blocked: Free mail",
        out.pk: "is disqualified: Competitor",
    }


def asks(name: str) -> dict[str, Any]:
    return {"field": "company", "op": "is", "value": name}


def test_a_plan_releases_so_many_on_each_working_day_and_no_more() -> None:
    widened(5)
    start_plan(per_day=2, actor=make_user(Role.MARKETER), now=PUBLISHED_AT)
    release(PUBLISHED_AT)
    release(PUBLISHED_AT + HOUR)
    assert stages().count("MQL") == 2
    release(PUBLISHED_AT + DAY)
    release(PUBLISHED_AT + 4 * DAY)
    assert stages().count("MQL") == 4
    release(PUBLISHED_AT + 6 * DAY)
    assert stages().count("MQL") == 5
    released = StageInterval.objects.filter(rule__startswith="Released by a rate of 2 a day")
    assert released.count() == 5


def test_a_plan_started_anew_releases_on_the_same_day_only_what_is_left_of_its_rate() -> None:
    widened(8)
    for per_day in (2, 2, 3):
        start_plan(per_day=per_day, actor=make_user(Role.MARKETER), now=PUBLISHED_AT)
        release(PUBLISHED_AT)
        assert stages().count("MQL") == per_day
    release(PUBLISHED_AT + DAY)
    assert stages().count("MQL") == 6


def test_while_scores_are_renewed_only_ticked_leads_are_released() -> None:
    publish_model()
    leads = scored_leads(5)
    force_model(WIDE, now=PUBLISHED_AT)
    start_plan(per_day=2, actor=make_user(Role.MARKETER), now=PUBLISHED_AT)
    renew_scores(now=PUBLISHED_AT, limit=3)
    with pytest.raises(NothingToRelease, match="wait until the re-score is done"):
        order(count=2)
    order(lead_ids=[leads[0].pk])
    release(PUBLISHED_AT)
    assert stages() == ["MQL", "LEAD", "LEAD", "LEAD", "LEAD"]
    while renew_scores(now=PUBLISHED_AT):
        pass
    release(PUBLISHED_AT)
    assert stages() == ["MQL", "MQL", "LEAD", "MQL", "LEAD"]


def test_a_stopped_plan_orders_no_more_waves() -> None:
    widened(3)
    start_plan(per_day=1, actor=make_user(), now=PUBLISHED_AT)
    assert stop_plan(now=PUBLISHED_AT)
    release(PUBLISHED_AT)
    assert stages().count("MQL") == 0


def test_a_published_model_stops_the_plan_of_the_one_before() -> None:
    widened(3)
    plan = start_plan(per_day=1, actor=make_user(), now=PUBLISHED_AT)
    force_model(now=PUBLISHED_AT + HOUR)
    plan.refresh_from_db()
    assert plan.stopped_at == PUBLISHED_AT + HOUR


def test_another_rate_replaces_the_first_and_nonsense_is_refused() -> None:
    widened(3)
    first = start_plan(per_day=1, actor=make_user(), now=PUBLISHED_AT)
    start_plan(per_day=2, actor=make_user(), now=PUBLISHED_AT)
    first.refresh_from_db()
    assert first.stopped_at == PUBLISHED_AT
    for nonsense in (0, -1, 1001):
        with pytest.raises(PlanRefused, match="1 to 1,000"):
            start_plan(per_day=nonsense, actor=make_user(), now=PUBLISHED_AT)


def test_without_a_model_nothing_is_planned_or_released() -> None:
    with pytest.raises(PlanRefused, match="No scoring model"):
        start_plan(per_day=1, actor=make_user(), now=NOW)
    with pytest.raises(NothingToRelease):
        order(count=1)
    assert release_waves(now=NOW) == 0


def test_a_move_that_fails_is_tried_again_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = widened(2)
    order(lead_ids=[bad.pk, good.pk])
    with failing_for(bad):
        release()
    assert stages() == ["LEAD", "MQL"]
    assert "Could not release" in caplog.text
    release(PUBLISHED_AT + HOUR + 4 * MINUTE)
    assert stages() == ["LEAD", "MQL"]
    release(PUBLISHED_AT + HOUR + 5 * MINUTE)
    assert stages() == ["MQL", "MQL"]


def test_a_move_that_fails_five_times_is_given_up_and_may_be_ordered_again() -> None:
    """Red when no try is counted: it would be tried for ever, and nobody would hear why."""
    [bad] = widened(1)
    wave = order(lead_ids=[bad.pk])
    with failing_for(bad):
        for round_ in range(4):
            release(PUBLISHED_AT + HOUR + round_ * 5 * MINUTE)
        assert wave.leads.pending().exists()
        release(PUBLISHED_AT + HOUR + 20 * MINUTE)
    told = "could not be moved in 5 tries; the log of the server says why"
    assert wave.leads.get().left_out == told
    assert release(PUBLISHED_AT + 2 * HOUR) == 0
    order(lead_ids=[bad.pk])
    release(PUBLISHED_AT + 2 * HOUR)
    assert stages() == ["MQL"]


@pytest.mark.django_db(transaction=True)
def test_a_rate_that_is_started_while_a_model_is_published_is_one_of_that_model() -> None:
    widened(1)
    person = make_user(Role.MARKETER)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            model = force_model(now=PUBLISHED_AT + HOUR)
            plan = in_thread(
                pool, lambda: start_plan(per_day=2, actor=person, now=PUBLISHED_AT + HOUR)
            )
            wait_until_blocked(plan)
        assert plan.result().model == model


def test_a_crash_in_the_middle_of_a_wave_loses_nobody_and_moves_nobody_twice() -> None:
    widened(5)
    order(count=5)
    assert release_waves(now=PUBLISHED_AT, limit=2) == 2
    assert stages().count("MQL") == 2
    release()
    assert stages() == ["MQL"] * 5
    assert StageInterval.objects.filter(stage="MQL").count() == 5


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_and_a_person_at_once_move_each_lead_once() -> None:
    leads = widened(3)
    start_plan(per_day=2, actor=make_user(), now=PUBLISHED_AT)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            Lead.objects.select_for_update(no_key=True).get(pk=leads[1].pk)
            sweeps = [in_thread(pool, lambda: release_waves(now=PUBLISHED_AT)) for _ in range(2)]
            wait_for(lambda: waiting_for_a_lock() >= 1)
            change_stage(
                lead_id=leads[1].pk, to_stage=LifecycleStage.MQL, now=PUBLISHED_AT, rule="By hand"
            )
        for sweep in sweeps:
            sweep.result()
    assert ReleaseWave.objects.count() == 1
    assert StageInterval.objects.filter(lead=leads[1], stage="MQL").get().rule == "By hand"
    assert stages().count("MQL") == 2
    assert [row.left_out for row in WaveLead.objects.exclude(left_out="")] == ["is MQL already"]


@pytest.mark.django_db(transaction=True)
def test_a_wave_and_the_sweep_of_scores_at_once_make_one_mql() -> None:
    [lead] = widened(1)
    order(count=1)
    log_act(lead.pk, "DOWNLOAD", PUBLISHED_AT + HOUR)
    mark_due(lead_ids=[lead.pk], now=PUBLISHED_AT + HOUR)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            Lead.objects.select_for_update(no_key=True).get(pk=lead.pk)
            both = [
                in_thread(pool, lambda: release_waves(now=PUBLISHED_AT + HOUR)),
                in_thread(pool, lambda: score_due_leads(now=PUBLISHED_AT + HOUR)),
            ]
            wait_for(lambda: waiting_for_a_lock() >= 2)
        for sweep in both:
            sweep.result()
    assert StageInterval.objects.filter(stage="MQL").count() == 1


def test_the_database_holds_a_lead_in_one_wave_and_a_plan_to_one_wave_a_day() -> None:
    lead = widened(1)[0]
    wave, person = order(count=1), make_user()
    other = ReleaseWave.objects.create(model=wave.model, ordered_at=NOW, ordered_by=person)
    plan = start_plan(per_day=1, actor=person, now=NOW)
    day = {"model": wave.model, "plan": plan, "ordered_at": NOW, "ordered_by": person}
    ReleaseWave.objects.create(day=NOW.date(), **day)
    refused: list[tuple[str, Any]] = [
        ("wave_lead_pending_once", lambda: WaveLead.objects.create(wave=other, lead=lead)),
        ("wave_lead_once", lambda: WaveLead.objects.create(wave=wave, lead=lead, left_out="x")),
        ("release_wave_one_a_day", lambda: ReleaseWave.objects.create(day=NOW.date(), **day)),
        ("release_wave_of_a_plan_has_a_day", lambda: ReleaseWave.objects.create(**day)),
        ("release_plan_per_day", lambda: ReleasePlan.objects.update(per_day=0)),
        ("wave_lead_released_or_left_out",
         lambda: WaveLead.objects.update(released_at=NOW, left_out="x")),
        ("release_plan_one_running", lambda: ReleasePlan.objects.create(
            model=wave.model, per_day=1, started_at=NOW, started_by=person)),
    ]  # fmt: skip
    for constraint, act in refused:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            act()

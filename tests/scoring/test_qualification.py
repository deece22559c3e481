from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.dispatch import receiver

from crm.accounts.enums import Role
from engagement.enums import Actor, EventKind
from engagement.services import record_event
from leads.enums import ConsentPurpose, LifecycleStage
from leads.models import Lead, LeadFact, StageInterval
from leads.services import change_stage, create_lead, record_consent, update_lead
from leads.signals import stage_changed
from scoring.models import ScoringModel
from scoring.services import buying_act, mark_due, score_due_leads
from tests.factories import NOW, make_lead, make_user
from tests.scoring.logs import document, log_act, publish_model, score_of, settle

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
AUSTRIA = {"field": "country", "op": "in", "value": ["AT"]}


def download(lead: Lead, times: int = 1, at: datetime = NOW, now: datetime | None = None) -> None:
    for _ in range(times):
        record_event(lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=at, now=now or at)


def ask_for_demo(lead: Lead, at: datetime = NOW, now: datetime | None = None) -> None:
    record_event(lead_id=lead.pk, kind=EventKind.DEMO_REQUEST, occurred_at=at, now=now or at)


def stage_of(lead: Lead) -> StageInterval:
    return StageInterval.objects.current().get(lead=lead)


def test_a_lead_that_reaches_the_definition_becomes_an_mql_with_its_score() -> None:
    model = publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    settle()
    move = stage_of(lead)
    assert (move.stage, move.rule, move.started_at) == (
        LifecycleStage.MQL, "Cell B2 is in the definition, model v1", NOW
    )  # fmt: skip
    assert (move.model_version, move.fit_score, move.engagement_score, move.cell) == (
        model.version, Decimal(70), Decimal(60), "B2"
    )  # fmt: skip


def test_a_lead_outside_the_definition_stays() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=4)
    settle()
    assert (stage_of(lead).stage, score_of(lead).cell) == (LifecycleStage.LEAD, "B3")


def test_a_buying_act_makes_an_mql_at_once_without_the_grid() -> None:
    publish_model()
    lead = make_lead(country="", created_at=NOW - DAY)
    ask_for_demo(lead)
    settle()
    assert (stage_of(lead).stage, stage_of(lead).rule) == (
        LifecycleStage.MQL, "Fast track: asked for a demo"
    )  # fmt: skip
    act = buying_act(lead_id=lead.pk, now=NOW)
    assert act is not None
    assert (act.kind, act.has_shortest_tier) == (EventKind.DEMO_REQUEST, True)


def test_a_buying_act_counts_for_a_month() -> None:
    publish_model()
    lead = make_lead(created_at=NOW - 60 * DAY)
    ask_for_demo(lead, at=NOW - 30 * DAY, now=NOW)
    settle()
    assert stage_of(lead).stage == LifecycleStage.LEAD


def test_a_buying_act_of_a_machine_is_none() -> None:
    publish_model()
    lead = make_lead(created_at=NOW - DAY)
    log_act(lead.pk, EventKind.DEMO_REQUEST, is_human=False)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    assert stage_of(lead).stage == LifecycleStage.LEAD


def test_a_buying_act_without_the_shortest_tier_is_no_fast_track_for_the_handoff() -> None:
    mql = {"cells": [], "fast_track": [{"kind": "DEMO_REQUEST", "shortest_tier": False}]}
    publish_model(document(mql=mql))
    lead = make_lead(created_at=NOW - DAY)
    ask_for_demo(lead)
    settle()
    assert stage_of(lead).stage == LifecycleStage.MQL
    act = buying_act(lead_id=lead.pk, now=NOW)
    assert act is not None
    assert not act.has_shortest_tier


def test_a_blocked_lead_becomes_no_mql_whatever_it_does() -> None:
    customers = {"label": "Existing customer", "criteria": AUSTRIA}
    parts = document()["mql"] | {"cells": ["C1", "C2", "B1", "B2"], "blocking": [customers]}
    publish_model(document(mql=parts))
    lead = make_lead(country="AT", created_at=NOW - DAY)
    download(lead, times=6)
    ask_for_demo(lead)
    settle()
    assert (stage_of(lead).stage, score_of(lead).meets_definition) == (LifecycleStage.LEAD, False)


def disqualifying() -> dict[str, Any]:
    return document(disqualifiers=[{"reason": "Country not served", "criteria": AUSTRIA}])


def test_a_disqualifier_comes_before_everything_else() -> None:
    publish_model(disqualifying())
    lead = create_lead(now=NOW, email="ines@example.com", country="AT")
    ask_for_demo(lead)
    settle()
    move = stage_of(lead)
    assert (move.stage, move.rule, move.reason) == (
        LifecycleStage.DISQUALIFIED, "Disqualifier of model v1", "Country not served"
    )  # fmt: skip
    assert score_of(lead).disqualified_by == "Country not served"


def test_what_is_not_known_disqualifies_nobody() -> None:
    elsewhere = {"not": {"field": "country", "op": "in", "value": ["DE"]}}
    publish_model(document(disqualifiers=[{"reason": "Elsewhere", "criteria": elsewhere}]))
    unknown, abroad = (make_lead(country=country, created_at=NOW - DAY) for country in ("", "US"))
    mark_due(lead_ids=[unknown.pk, abroad.pk], now=NOW)
    settle()
    assert stage_of(unknown).stage == LifecycleStage.LEAD
    assert stage_of(abroad).stage == LifecycleStage.DISQUALIFIED


def test_a_pardoned_lead_stays_until_something_new_is_known_of_it() -> None:
    publish_model(disqualifying())
    lead = create_lead(now=NOW, email="ines@example.com", country="AT")
    settle()
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.LEAD, now=NOW + DAY, reason="Our branch")
    settle(NOW + DAY)
    download(lead, at=NOW + 2 * DAY)
    settle(NOW + 2 * DAY)
    assert stage_of(lead).stage == LifecycleStage.LEAD

    update_lead(lead_id=lead.pk, now=NOW + 3 * DAY, title="Student")
    settle(NOW + 3 * DAY)
    assert stage_of(lead).stage == LifecycleStage.DISQUALIFIED


def test_a_pardoned_lead_can_qualify() -> None:
    publish_model(disqualifying())
    lead = create_lead(now=NOW, email="ines@example.com", country="AT")
    settle()
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.LEAD, now=NOW + DAY)
    ask_for_demo(lead, at=NOW + 2 * DAY)
    settle(NOW + 2 * DAY)
    assert stage_of(lead).stage == LifecycleStage.MQL


def test_what_a_person_takes_back_stands_until_something_new_is_known() -> None:
    """Red when the move itself is news: the next sweep makes an MQL of it again."""
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    settle()
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.LEAD,
        now=NOW + DAY,
        actor=make_user(Role.MANAGER),
        reason="A student",
        override=True,
    )
    settle(NOW + DAY)
    assert stage_of(lead).stage == LifecycleStage.LEAD
    assert score_of(lead).meets_definition

    download(lead, at=NOW + 2 * DAY)
    settle(NOW + 2 * DAY)
    assert stage_of(lead).stage == LifecycleStage.MQL


def test_a_moved_lead_is_still_looked_at_daily_where_criteria_ask_for_relative_dates() -> None:
    """Red when a move forgets all but the next change of the number."""
    asleep = {"field": "last_activity", "op": "not_within", "value": "30d"}
    mql = {
        "cells": [],
        "fast_track": [{"kind": "DEMO_REQUEST"}],
        "blocking": [{"label": "Asleep", "criteria": asleep}],
    }
    publish_model(document(mql=mql))
    lead = make_lead(created_at=NOW - DAY)
    ask_for_demo(lead)
    settle()
    assert stage_of(lead).stage == LifecycleStage.MQL
    assert score_of(lead).score_due_at == NOW + DAY


@pytest.mark.parametrize("stage", ["MQL", "SAL", "SQL", "WON", "LOST", "DISQUALIFIED"])
def test_a_lead_that_people_work_with_is_left_to_them(stage: str) -> None:
    publish_model(disqualifying())
    lead = make_lead(stage=stage, country="AT", created_at=NOW - DAY, stage_since=NOW - DAY)
    ask_for_demo(lead)
    settle()
    assert stage_of(lead).stage == stage


def test_after_recycling_only_new_acts_count() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    ask_for_demo(lead)
    settle()
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.RECYCLED, now=NOW + DAY, reason="Later")
    settle(NOW + DAY)
    assert stage_of(lead).stage == LifecycleStage.RECYCLED
    assert score_of(lead).engagement_score == 0
    assert score_of(lead).fit_score == 70

    download(lead, times=6, at=NOW + 2 * DAY)
    settle(NOW + 2 * DAY)
    assert (stage_of(lead).stage, stage_of(lead).cycle) == (LifecycleStage.MQL, 2)


def test_publishing_moves_nobody_for_what_was_there_before() -> None:
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    ask_for_demo(lead)
    publish_model(now=NOW + DAY)
    settle(NOW + DAY)
    assert (stage_of(lead).stage, score_of(lead).meets_definition) == (LifecycleStage.LEAD, True)

    download(lead, at=NOW + 2 * DAY)
    settle(NOW + 2 * DAY)
    assert stage_of(lead).stage == LifecycleStage.MQL


def test_what_a_machine_does_moves_nobody_for_what_was_there_before() -> None:
    """Red when an event of a machine is news: a scanner makes an MQL."""
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    publish_model(now=NOW + DAY)
    settle(NOW + DAY)
    scanned: dict[str, Any] = {"occurred_at": NOW + 2 * DAY, "now": NOW + 2 * DAY}
    record_event(lead_id=lead.pk, kind=EventKind.EMAIL_CLICK, actor=Actor.MACHINE, **scanned)
    settle(NOW + 2 * DAY)
    assert (stage_of(lead).stage, score_of(lead).meets_definition) == (LifecycleStage.LEAD, True)


def test_imported_history_moves_nobody() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - 9 * DAY, imported_at=NOW)
    download(lead, times=8, at=NOW - DAY, now=NOW + DAY)
    ask_for_demo(lead, at=NOW - DAY, now=NOW + DAY)
    settle(NOW + DAY)
    assert (stage_of(lead).stage, score_of(lead).meets_definition) == (LifecycleStage.LEAD, True)


@pytest.mark.parametrize("news", ["act", "attribute"])
def test_an_imported_lead_moves_when_something_new_is_learned(news: str) -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - 9 * DAY, imported_at=NOW)
    download(lead, times=8, at=NOW - DAY, now=NOW)
    LeadFact.objects.create(lead=lead, field="country", value="DE", recorded_at=NOW)
    if news == "act":
        download(lead, at=NOW + DAY)
    else:
        update_lead(lead_id=lead.pk, now=NOW + DAY, title="Buyer")
    settle(NOW + DAY)
    assert stage_of(lead).stage == LifecycleStage.MQL


def test_a_buying_act_before_the_import_counts_for_nothing_later() -> None:
    publish_model()
    lead = make_lead(created_at=NOW - 9 * DAY, imported_at=NOW)
    ask_for_demo(lead, at=NOW - DAY, now=NOW)
    download(lead, at=NOW + DAY)
    settle(NOW + DAY)
    assert stage_of(lead).stage == LifecycleStage.LEAD


def test_a_lead_that_somebody_moved_meanwhile_stays_where_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    other = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    download(other, times=6)

    @receiver(stage_changed, dispatch_uid="test.move_the_other")
    def move_the_other(*, change: StageInterval, now: datetime, **_: Any) -> None:
        """Move the second lead while the first becomes an MQL."""
        if change.lead_id == lead.pk:
            change_stage(lead_id=other.pk, to_stage=LifecycleStage.DISQUALIFIED, now=now)

    try:
        settle()
    finally:
        stage_changed.disconnect(dispatch_uid="test.move_the_other")
    assert stage_of(other).stage == LifecycleStage.DISQUALIFIED
    assert caplog.messages == []


def test_a_move_that_fails_is_tried_again_and_keeps_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish_model()
    bad = make_lead(country="DE", created_at=NOW - DAY)
    good = make_lead(country="DE", created_at=NOW - DAY)
    download(bad, times=6)
    download(good, times=6)

    @receiver(stage_changed, dispatch_uid="test.refuse")
    def refuse(*, change: StageInterval, **_: Any) -> None:
        """Fail as a faulty floor above would."""
        if change.lead_id == bad.pk:
            raise RuntimeError("no desk")

    try:
        settle()
    finally:
        stage_changed.disconnect(dispatch_uid="test.refuse")
    assert (stage_of(good).stage, stage_of(bad).stage) == ("MQL", "LEAD")
    assert score_of(bad).score_due_at == NOW + timedelta(minutes=5)
    assert f"Could not move lead {bad.pk} to MQL" in caplog.text

    settle(NOW + timedelta(minutes=5))
    assert stage_of(bad).stage == "MQL"


def test_a_crash_between_score_and_move_loses_no_mql() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)

    @receiver(stage_changed, dispatch_uid="test.crash")
    def crash(**_: Any) -> None:
        """Die as a killed worker does: nothing catches it."""
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            score_due_leads(now=NOW)
    finally:
        stage_changed.disconnect(dispatch_uid="test.crash")
    assert stage_of(lead).stage == "LEAD"

    assert score_due_leads(now=NOW) == 1
    assert stage_of(lead).stage == "MQL"


def test_no_fast_track_without_a_model() -> None:
    assert not ScoringModel.objects.exists()
    assert buying_act(lead_id=make_lead().pk, now=NOW) is None


@pytest.mark.parametrize(
    ("is_granted", "stage"), [(True, LifecycleStage.MQL), (False, LifecycleStage.LEAD)]
)
def test_a_consent_is_news_and_taking_it_back_is_none(
    is_granted: bool, stage: LifecycleStage
) -> None:
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    publish_model(
        now=NOW + timedelta(hours=1)
    )  # the lead newly meets the definition, and waits to be released
    settle(NOW + timedelta(hours=1))

    record_consent(
        lead_id=lead.pk, purpose=ConsentPurpose.CONTACT, text="You may call me", source="A form",
        asked_at=NOW + DAY, given_at=NOW + DAY, is_granted=is_granted,
        now=NOW + DAY,
    )  # fmt: skip
    score_due_leads(now=NOW + DAY)

    assert (stage_of(lead).stage, score_of(lead).meets_definition) == (stage, True)

"""Predictions are shown and stored, and decide nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm.accounts.enums import Role
from crm.celery import app
from crm.common.criteria import fields
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import change_stage, merge_leads
from scoring.columns import load_chances
from scoring.enums import TrainingState
from scoring.models import LeadPrediction, PredictiveModel
from scoring.predictive.formula import centred, formula_document
from scoring.predictive.levels import Column, ColumnKind, coding_of
from scoring.services import mark_due
from scoring.services.predicting import (
    EVERY,
    NotTrained,
    activate,
    chance_words,
    deactivate,
    predict,
    renew_predictions,
)
from scoring.services.training import start_training, train_waiting
from scoring.tasks import renew_predictions as renew_task
from scoring.tasks import train_predictive as train_task
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.histories import make_history
from tests.scoring.logs import publish_model, settle

pytestmark = pytest.mark.django_db

SOURCE = Column("source", "Source", ColumnKind.TEXT)
RESULTS: dict[str, Any] = {
    "sample": {
        "leads": 400,
        "positives": 100,
        "moment": "when they became MQL",
        "patience_days": 4,
        "first_at": "2026-01-12T09:00:00+00:00",
        "last_at": "2026-04-30T09:00:00+00:00",
    },
    "auc": {"value": 0.812, "low": 0.771, "high": 0.853},
    "calibration": [
        {"leads": 200, "predicted": 0.1, "came_true": {"value": 0.12, "low": 0.08, "high": 0.17}},
        {"leads": 200, "predicted": 0.4, "came_true": {"value": 0.38, "low": 0.31, "high": 0.45}},
    ],
    "leaks": [
        {
            "column": "attributes.tags",
            "label": "Tags",
            "reason": "TOO_GOOD",
            "sentence": "Too good to be true: alone it orders leads with an AUC of 0.92",
            "is_included": False,
        }
    ],
    "dull": [{"column": "city", "label": "City", "sentence": "Nobody had an answer"}],
}


def make_trained(**given: Any) -> PredictiveModel:
    """Make a trained model by which a fair is good and everything else is not."""
    coding = coding_of(SOURCE, ["fair"] * 200 + ["web"] * 200)
    formula = centred(-1.0, [coding], [[1.0, -1.0]], [[(200, 80), (200, 20)]])
    return PredictiveModel.objects.create(
        **{
            "target": "sql",
            "target_label": "SQL",
            "requested_at": NOW,
            "finished_at": NOW,
            "state": TrainingState.TRAINED,
            "results": RESULTS,
            "formula": formula_document(formula),
            **given,
        }
    )


def make_active() -> PredictiveModel:
    model = make_trained()
    activate(model_id=model.pk, actor=make_user(Role.MARKETER), now=NOW)
    model.refresh_from_db()
    return model


def stored() -> dict[int, Decimal]:
    return dict(LeadPrediction.objects.values_list("lead_id", "chance"))


def test_a_lead_is_predicted_by_what_is_known_with_its_reasons() -> None:
    lead = make_lead(source="fair")
    assert predict(lead=lead, now=NOW) is None
    make_active()
    told = predict(lead=lead, now=NOW)
    assert told is not None
    # log-odds -1 + 1 = 0
    assert (told.chance, told.percent, told.average_percent) == (0.5, "50", 25)
    [reason] = told.reasons
    assert (reason.column, reason.level, reason.words) == ("Source", "fair", "2.7 times")


@pytest.mark.parametrize(
    ("chance", "words"),
    [(0.0, "under 1"), (0.01, "1"), (0.344, "34"), (0.99, "99"), (1, "over 99")],
)
def test_nothing_is_shown_as_certain(chance: float, words: str) -> None:
    assert chance_words(chance) == words


@pytest.mark.parametrize("stage", ["SQL", "WON", "LOST", "DISQUALIFIED"])
def test_who_got_there_or_is_out_is_not_predicted(stage: str) -> None:
    make_active()
    assert predict(lead=make_lead(stage=stage, stage_since=NOW), now=NOW) is None


def test_a_round_stores_the_chance_of_every_lead_in_steps() -> None:
    model = make_active()
    fair, web = make_lead(source="fair"), make_lead(source="web")
    won = make_lead(source="fair", stage="WON", stage_since=NOW)
    assert renew_predictions(now=NOW, limit=2) == 2
    assert stored() == {fair.pk: Decimal("0.500"), web.pk: Decimal("0.119")}
    model.refresh_from_db()
    assert model.scored_up_to == web.pk
    assert [renew_predictions(now=NOW, limit=2) for _ in range(3)] == [1, 0, 0]
    assert won.pk not in stored()


def test_the_next_round_begins_an_hour_later_and_follows_what_changed() -> None:
    make_active()
    lead, gone = make_lead(source="fair"), make_lead(source="fair")
    while renew_predictions(now=NOW):
        pass
    Lead.objects.filter(pk=lead.pk).update(source="web")
    change_stage(lead_id=gone.pk, to_stage=LifecycleStage.DISQUALIFIED, now=NOW, reason="Spam")
    assert renew_predictions(now=NOW + EVERY - EVERY / 60) == 0
    assert renew_predictions(now=NOW + EVERY) == 2
    assert stored() == {lead.pk: Decimal("0.119")}


def test_the_list_shows_and_sorts_by_the_chance() -> None:
    make_active()
    web = make_lead(source="web", last_name="Webster")
    fair = make_lead(source="fair", last_name="Fairweather")
    renew_predictions(now=NOW)
    client = client_of(make_user(Role.MARKETER))
    html = client.get("/leads/?view=all&columns=chance&sort=chance").content.decode()
    assert html.index("Fairweather") < html.index("Webster")
    assert html.index("50 %") < html.index("12 %")
    chances = load_chances([web.pk, fair.pk], make_user(Role.MARKETER), NOW)
    assert chances == {web.pk: Decimal("0.119"), fair.pk: Decimal("0.500")}


def test_another_model_takes_the_place_of_the_first() -> None:
    first = make_active()
    lead = make_lead()
    renew_predictions(now=NOW)
    second = make_active()
    first.refresh_from_db()
    assert (first.is_active, second.is_active) == (False, True)
    assert load_chances([lead.pk], make_user(Role.MARKETER), NOW) == {}
    renew_predictions(now=NOW)
    assert LeadPrediction.objects.get().model == second


def test_no_list_is_in_the_order_of_chances_that_it_does_not_show() -> None:
    """Red when what the former model said goes in rounds: "Most likely first" was its order."""
    make_active()
    make_lead(source="fair", last_name="Fairweather")
    make_lead(source="web", last_name="Webster")
    renew_predictions(now=NOW)
    client = client_of(make_user(Role.MARKETER))

    for switch in (make_active, deactivate):
        switch()
        html = client.get("/leads/?view=all&columns=chance&sort=chance").content.decode()
        assert html.index("Webster") < html.index("Fairweather"), "the latest first"
        assert stored() == {}


def test_who_was_merged_into_another_is_not_predicted() -> None:
    make_active()
    kept, gone = make_lead(source="web"), make_lead(source="web")
    renew_predictions(now=NOW)
    merge_leads(survivor_id=kept.pk, merged_id=gone.pk, actor=make_user(Role.MARKETER), now=NOW)

    renew_predictions(now=NOW)  # the end of the round
    renew_predictions(now=NOW + EVERY)

    assert list(stored()) == [kept.pk]


def test_a_training_without_a_formula_cannot_be_shown() -> None:
    failed = PredictiveModel.objects.create(
        target="sql", target_label="SQL", requested_at=NOW, state="FAILED", error="Too few"
    )
    with pytest.raises(NotTrained):
        activate(model_id=failed.pk, actor=make_user(Role.ADMIN), now=NOW)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"state": "TRAINED"}, "predictive_trained_has_a_formula"),
        ({"is_active": True}, "predictive_active_is_trained"),
        ({"state": "FAILED"}, "predictive_failure_says_why"),
        ({"state": "LOST"}, "predictive_state_is_known"),
    ],
)
def test_the_database_refuses_what_makes_no_sense(changes: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        PredictiveModel.objects.create(
            **{"target": "sql", "target_label": "SQL", "requested_at": NOW, **changes}
        )


def test_the_database_keeps_one_active_and_one_training_and_real_chances() -> None:
    model = make_active()
    with pytest.raises(IntegrityError, match="predictive_one_active"), transaction.atomic():
        make_trained(is_active=True)
    asked = {"target": "sql", "target_label": "SQL", "requested_at": NOW}
    PredictiveModel.objects.create(**asked)
    with pytest.raises(IntegrityError, match="predictive_one_training"), transaction.atomic():
        PredictiveModel.objects.create(**asked, state="RUNNING")
    with pytest.raises(IntegrityError, match="is_a_chance"), transaction.atomic():
        LeadPrediction.objects.create(
            lead=make_lead(), model=model, chance=Decimal("1.001"), computed_at=NOW
        )


def test_a_prediction_never_decides() -> None:
    publish_model()
    model = make_active()
    lead = make_lead(source="fair", country="DE")
    LeadPrediction.objects.create(lead=lead, model=model, chance=1, computed_at=NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    lead.refresh_from_db()
    assert lead.stage == "LEAD"
    # rules, routing, segments and flows ask by these names, and by no other
    assert not [each.name for each in fields if "predict" in each.name]


def test_the_tasks_train_and_then_predict() -> None:
    make_history(330, lambda number: number % 3 == 0)
    model = start_training(target="sql", now=NOW)
    train_task.apply().get()
    model.refresh_from_db()
    assert not model.is_under_way
    make_active()
    lead = make_lead(source="fair")
    renew_task.apply().get()
    assert stored()[lead.pk] == Decimal("0.500")


def page(role: Role = Role.MARKETER, name: str = "scoring:predictive", **arguments: int) -> str:
    answer = client_of(make_user(role)).get(reverse(name, kwargs=arguments))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_shows_what_a_training_found() -> None:
    model = make_trained()
    html = page(name="scoring:predictive_model", model_id=model.pk)
    for shown in (
        "0.812", "0.771 to 0.853 with 95 %", "Good", "25.0 % of them", "12.0 %", "2.7 times",
        "alone it orders leads with an AUC of 0.92", "Nobody had an answer", "Use all the same",
        "12 Jan 2026 to 30 Apr 2026",
    ):  # fmt: skip
        assert shown in html
    assert "Show it" in html
    assert "Show it" not in page(Role.MANAGER)


def test_columns_that_tell_less_are_fetched_when_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scoring.predictive_page._STRONGEST", 0)
    address = reverse("scoring:predictive_model", args=[make_trained().pk])
    client = client_of(make_user(Role.MARKETER))

    whole = client.get(address).content.decode()
    fetched = client.get(address, headers={"HX-Request": "true"}).content.decode()

    assert f'hx-get="{address}"' in whole
    assert "2.7 times" not in whole
    assert "2.7 times" in fetched
    assert "<html" not in fetched


def test_a_marketer_trains_and_shows_and_hides_on_the_page() -> None:
    client = client_of(make_user(Role.MARKETER, full_name="Mira Lindqvist"))
    asked = client.post(reverse("scoring:predictive_train"), {"target": "sql"}, follow=True)
    assert "Waiting for a worker" in asked.content.decode()
    again = client.post(reverse("scoring:predictive_train"), {"target": "won"}, follow=True)
    assert "that Mira Lindqvist asked for" in again.content.decode()
    bad = client.post(reverse("scoring:predictive_train"), {"target": "rain"}, follow=True)
    assert "rain is none" in bad.content.decode()
    model = make_trained()
    client.post(reverse("scoring:predictive_activate", args=[model.pk]))
    assert PredictiveModel.objects.active().get() == model
    client.post(reverse("scoring:predictive_deactivate"))
    assert not PredictiveModel.objects.active().exists()


def test_a_training_that_is_over_loads_the_page_anew() -> None:
    running = start_training(target="sql", now=NOW)
    client = client_of(make_user(Role.ADMIN))
    address = reverse("scoring:predictive_progress", args=[running.pk])
    under_way = client.get(address, headers={"HX-Request": "true"})
    assert "HX-Redirect" not in under_way.headers
    train_waiting(now=NOW)
    over = client.get(address, headers={"HX-Request": "true"})
    assert over["HX-Redirect"] == reverse("scoring:predictive_model", args=[running.pk])
    assert "there are 0 and 0" in page(name="scoring:predictive_model", model_id=running.pk)


def test_the_explanation_of_a_lead_fetches_its_prediction() -> None:
    publish_model()
    make_active()
    rep = make_user(Role.REP)
    lead = make_lead(source="fair", owner=rep)
    client = client_of(rep)
    explanation = client.get(reverse("scoring:explanation", args=[lead.pk])).content.decode()
    address = reverse("scoring:prediction", args=[lead.pk])
    assert f'hx-get="{address}"' in explanation
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "50 % likely: SQL" in part
    assert "Source: fair" in part
    assert "decides nothing" in part
    deactivate()
    assert not client.get(address, headers={"HX-Request": "true"}).content.strip()
    assert "Nothing is predicted" in client.get(address).content.decode()


@pytest.mark.parametrize("task", ["scoring.train_predictive", "scoring.renew_predictions"])
def test_beat_wakes_the_task_and_lets_late_messages_expire(task: str) -> None:
    [tick] = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == task]
    assert tick["options"] == {"queue": "bulk", "expires": tick["schedule"]}

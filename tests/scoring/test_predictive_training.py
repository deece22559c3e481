"""Training on histories: what it looks at, what it refuses, and what happens side by side."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from engagement.enums import Actor, EventKind, LinkReason
from engagement.models import ActorChange, Event, Visitor, VisitorLink
from leads.models import LeadFact
from scoring.cases import Moment, UnknownTarget, read_cases, target_named
from scoring.enums import TrainingState
from scoring.knowledge import read_known
from scoring.models import PredictiveModel
from scoring.predictive.formula import read_formula
from scoring.services.training import (
    MOST_ATTEMPTS,
    CannotTrain,
    TrainingUnderWay,
    start_training,
    train_waiting,
)
from tests.concurrency import side_by_side
from tests.factories import NOW, make_lead, make_user
from tests.scoring.histories import CAPTURED, DAY, JUDGED, QUALIFIED, declare, make_history
from tests.scoring.logs import log_act

pytestmark = pytest.mark.django_db


def third(number: int) -> bool:
    return number % 3 == 0


def trained(**asked: Any) -> PredictiveModel:
    model = start_training(now=NOW, **{"target": "sql", **asked})
    assert train_waiting(now=NOW)
    model.refresh_from_db()
    return model


def answers(number: int) -> dict[str, Any]:
    """What leads say: of those that convert more come by the fair, as far as they say anything."""
    rng = random.Random(number)
    asked = "fair" if rng.random() < (0.7 if third(number) else 0.3) else "web"
    return {"heard": asked, "employees": rng.randrange(200)} if rng.random() < 0.9 else {}


def make_sample(count: int = 330) -> list[int]:
    declare("heard")
    declare("employees", "NUMBER")
    return make_history(count, third, answers)


def test_a_history_teaches_a_formula_and_how_well_it_predicts() -> None:
    make_sample()
    model = trained()
    assert model.state == TrainingState.TRAINED, model.error
    results = model.results or {}
    assert results["sample"]["leads"] == 330
    assert results["sample"]["positives"] == 110
    assert results["sample"]["moment"] == Moment.MQL.value
    area = results["auc"]
    assert 0.5 < area["low"] < area["value"] < area["high"] < 0.9
    assert sum(each["leads"] for each in results["calibration"]) == 330
    formula = read_formula(model.formula or {})
    [heard] = [each for each in formula.columns if each.label == "Heard"]
    assert heard.levels["=fair"].weight > 0 > heard.levels["=web"].weight
    assert sum(level.leads for level in heard.levels.values()) == 330
    assert model.progress == 100


def test_the_same_history_teaches_the_same_formula() -> None:
    make_sample()
    assert trained().formula == trained().formula


@pytest.mark.parametrize(("count", "said"), [(297, "99 and 198"), (150, "50 and 100")])
def test_too_few_outcomes_are_refused_with_their_number(count: int, said: str) -> None:
    make_sample(count)
    model = trained()
    assert model.state == TrainingState.FAILED
    assert model.error == (
        "Training needs 100 leads that reached SQL and as many that did not, with time enough to"
        f" do so; there are {said}."
    )


def test_a_bad_target_is_named_with_what_there_is() -> None:
    declare("newsletter", "BOOLEAN")
    declare("city", "TEXT")
    with pytest.raises(UnknownTarget, match="'revenue'; what can be predicted: sql, won, newsl"):
        start_training(target="revenue", now=NOW)
    with pytest.raises(UnknownTarget, match="The attribute 'city' is text; what can be predicted"):
        start_training(target="city", now=NOW)
    with pytest.raises(CannotTrain, match="There is no column 'shoes'; there are: source, medium"):
        start_training(target="sql", included=["shoes"], now=NOW)
    assert not PredictiveModel.objects.exists()


def test_converted_is_the_attribute_of_that_name_or_else_won() -> None:
    assert target_named("converted").name == "won"
    declare("converted", "BOOLEAN")
    assert target_named("Converted").is_attribute
    assert target_named("attributes.converted").is_attribute


def test_an_attribute_is_predicted_from_the_others_as_captured() -> None:
    declare("member", "BOOLEAN")
    declare("heard")
    make_history(330, third, lambda n: {**answers(n), "member": third(n)})
    model = trained(target="member")
    assert model.state == TrainingState.TRAINED, model.error
    assert (model.results or {})["sample"]["moment"] == Moment.CAPTURE.value
    names = [each["name"] for each in (model.formula or {})["columns"]]
    assert "attributes.member" not in names


def test_only_what_was_known_at_the_moment_is_looked_at() -> None:
    declare("budget", "NUMBER")
    [lead_id] = make_history(1, third, lambda _: {"budget": 10})
    later = {"lead_id": lead_id, "recorded_at": QUALIFIED + DAY}
    LeadFact.objects.create(field="attributes", value={"budget": 99}, **later)
    LeadFact.objects.create(field="phone", value="+49 30 1", **later)
    log_act(lead_id, "DOWNLOAD", QUALIFIED - 3 * DAY, funnel_stage="BOFU")
    log_act(lead_id, "DOWNLOAD", QUALIFIED + DAY)
    log_act(lead_id, "PAGE_VIEW", QUALIFIED - DAY, received_at=QUALIFIED + DAY)
    log_act(lead_id, "PAGE_VIEW", QUALIFIED - DAY, is_human=False)
    found = read_cases(target_named("sql"), now=NOW)
    then = read_known(found.cases)[lead_id].then
    assert then["attributes.budget"] == 10
    assert not then["phone"]
    assert (then["kind_DOWNLOAD"], then["kind_PAGE_VIEW"], then["stage_BOFU"]) == (1, 0, 1)
    assert (then["days_quiet"], then["acts_recent"], then["days_known"]) == (3, 1, 10)


def test_acts_are_those_that_were_known_to_be_the_leads_and_a_persons() -> None:
    [lead_id] = make_history(1, third)
    log_act(lead_id, "DOWNLOAD", QUALIFIED - 3 * DAY)
    log_act(lead_id, "DOWNLOAD", QUALIFIED - 2 * DAY, is_human=False)
    log_act(lead_id, "PAGE_VIEW", QUALIFIED - DAY)
    was_human = Event.objects.get(kind=EventKind.DOWNLOAD, actor=Actor.MACHINE)
    ActorChange.objects.create(
        event_id=was_human.id, was_actor=Actor.HUMAN, changed_at=QUALIFIED + DAY
    )
    visitor = Visitor.objects.create(name="b", first_seen_at=CAPTURED, last_seen_at=CAPTURED)
    link = VisitorLink.objects.create(
        visitor=visitor, lead_id=lead_id, reason=LinkReason.EMAIL_CLICK, made_at=CAPTURED,
        proven_at=QUALIFIED + 20 * DAY,
    )  # fmt: skip
    Event.objects.filter(kind=EventKind.PAGE_VIEW).update(link=link)
    [case] = read_cases(target_named("sql"), now=NOW).cases

    then = read_known([case])[lead_id].then

    assert (then["kind_DOWNLOAD"], then["kind_PAGE_VIEW"], then["days_quiet"]) == (2, 0, 2)


def test_of_an_imported_past_all_that_came_with_it_was_known() -> None:
    lead = make_lead(created_at=CAPTURED, imported_at=NOW)
    log_act(lead.pk, "DOWNLOAD", CAPTURED - DAY, received_at=NOW)
    declare("member", "BOOLEAN")
    lead.attributes = {"member": True}
    lead.save(update_fields=["attributes"])
    [case] = read_cases(target_named("member"), now=NOW).cases
    assert read_known([case])[lead.pk].then["kind_DOWNLOAD"] == 1


def test_cases_that_had_no_time_are_no_cases() -> None:
    make_history(20, third)
    make_history(1, lambda _: True, later=NOW - DAY - QUALIFIED)
    found = read_cases(target_named("sql"), now=NOW)
    assert (len(found.cases), found.patience) == (20, JUDGED - QUALIFIED)
    assert len(read_cases(target_named("sql"), now=NOW + 2 * DAY).cases) == 21


def test_what_was_filled_in_after_sales_had_the_lead_is_left_out() -> None:
    declare("heard")
    declare("verified", "BOOLEAN")
    ids = make_history(330, third, answers)
    LeadFact.objects.bulk_create(
        LeadFact(
            lead_id=lead_id,
            field="attributes",
            value={**answers(number), "verified": True},
            recorded_at=JUDGED,
        )
        for number, lead_id in enumerate(ids)
    )
    with connection.cursor() as cursor:
        cursor.execute("""UPDATE leads_lead SET attributes = attributes || '{"verified": true}'""")
    [leak] = (trained().results or {})["leaks"]
    assert (leak["label"], leak["reason"]) == ("Verified", "LATER")
    assert leak["sentence"] == "Filled in later: 330 of its 330 answers came after that moment"


def test_a_planted_leak_is_named_left_out_and_used_when_asked_for() -> None:
    declare("heard")
    declare("contract")
    make_history(330, third, lambda n: {**answers(n), **({"contract": "x"} if third(n) else {})})
    model = trained()
    [leak] = (model.results or {})["leaks"]
    assert (leak["column"], leak["reason"]) == ("attributes.contract", "TOO_GOOD")
    assert not leak["is_included"]
    names = [each["name"] for each in (model.formula or {})["columns"]]
    assert "attributes.contract" not in names
    offered = trained(included=["Contract"])
    [leak] = (offered.results or {})["leaks"]
    assert leak["is_included"]
    assert (offered.results or {})["auc"]["value"] == 1.0


def test_a_second_training_waits_for_the_first() -> None:
    noor = make_user(full_name="Noor Haddad")
    start_training(target="sql", now=NOW, actor=noor)
    said = "The training for SQL that Noor Haddad asked for at 09:00 is not finished yet"
    with pytest.raises(TrainingUnderWay, match=said):
        start_training(target="won", now=NOW)
    assert PredictiveModel.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_that_ask_at_once_one_is_told_to_wait() -> None:
    def ask() -> PredictiveModel:
        return start_training(target="sql", now=NOW)

    outcomes = side_by_side(ask, ask)
    assert sorted(type(each).__name__ for each in outcomes) == [
        "PredictiveModel",
        "TrainingUnderWay",
    ]
    assert PredictiveModel.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_leaves_a_training_to_the_one_that_does_it() -> None:
    make_sample()
    model = start_training(target="sql", now=NOW)
    outcomes = side_by_side(lambda: train_waiting(now=NOW), lambda: train_waiting(now=NOW))
    assert sorted(map(str, outcomes)) == ["False", "True"]
    model.refresh_from_db()
    assert (model.state, model.attempts) == (TrainingState.TRAINED, 1)


def test_a_training_that_was_killed_begins_anew() -> None:
    make_sample()
    model = start_training(target="sql", now=NOW)
    PredictiveModel.objects.update(state=TrainingState.RUNNING, attempts=1, progress=60)
    assert train_waiting(now=NOW)
    model.refresh_from_db()
    assert (model.state, model.attempts, model.progress) == (TrainingState.TRAINED, 2, 100)


def test_a_training_that_is_killed_again_and_again_is_given_up() -> None:
    model = start_training(target="sql", now=NOW)
    PredictiveModel.objects.update(state=TrainingState.RUNNING, attempts=MOST_ATTEMPTS)
    assert train_waiting(now=NOW)
    model.refresh_from_db()
    assert model.state == TrainingState.FAILED
    assert model.error.startswith("It was interrupted 3 times")


def output_of(**options: Any) -> str:
    out = StringIO()
    call_command("train_predictive", stdout=out, **options)
    return out.getvalue()


def test_the_command_trains_and_answers_as_json() -> None:
    declare("heard")
    declare("tags")
    make_history(330, third, lambda n: {**answers(n), "tags": "a"})
    told = json.loads(output_of(target="sql", json=True))
    assert told["auc_interval"][0] < told["auc"] < told["auc_interval"][1]
    assert [(leak["column"], leak["is_included"]) for leak in told["leaks"]] == [("tags", False)]
    lines = output_of(target="sql", include=["tags"]).splitlines()
    assert lines[0] == "SQL: 110 of 330 leads, as known when they became MQL"
    assert lines[2] == (
        "Warning: Tags (tags) may give the outcome away, used all the same."
        " Its name says that it judges the lead (tags)"
    )


def test_the_command_says_why_it_cannot() -> None:
    with pytest.raises(CommandError, match="There is no target 'revenue'"):
        call_command("train_predictive", target="revenue")
    with pytest.raises(CommandError, match="there are 0 and 0"):
        call_command("train_predictive", target="sql")


def test_a_history_of_captures_is_learned_from_where_there_are_no_mqls() -> None:
    for number in range(4):
        make_lead(created_at=CAPTURED + timedelta(days=number), stage="LEAD")
    found = read_cases(target_named("converted"), now=NOW)
    assert found.moment is Moment.CAPTURE
    assert [case.is_reached for case in found.cases] == [False] * 4

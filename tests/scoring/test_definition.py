from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from engagement.enums import EventKind
from scoring.definition import Counting, DefinitionInvalid, parse_definition
from tests.scoring.logs import document

COUNTRY = {"field": "country", "op": "in", "value": ["DE"]}


def problems_of(document: Any) -> list[str]:
    with pytest.raises(DefinitionInvalid) as caught:
        parse_definition(document)
    return [str(problem) for problem in caught.value.problems]


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the small model with the value at ``fit.personas.0.name`` replaced."""
    whole = deepcopy(document())
    *parents, last = path.split(".")
    place: Any = whole
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    return whole


RULE = "engagement.groups.0.rules.0"
NAMED_RULE = "engagement.groups[0].rules[0]"


def test_points_become_whole_tenths() -> None:
    rule = parse_definition(changed(f"{RULE}.points", 7.5)).rules[0]
    assert (rule.points, rule.cap, rule.half_life) == (75, 1000, timedelta(days=10))


def test_acts_count_each_time_unless_said_otherwise() -> None:
    rule = parse_definition(document()).rules[0]
    assert (rule.counting, rule.repeat) == (Counting.EVERY, None)


def test_a_fast_track_act_gets_the_shortest_tier_unless_said_otherwise() -> None:
    [act] = parse_definition(document()).fast_track
    assert (act.kind, act.shortest_tier) == (EventKind.DEMO_REQUEST, True)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (f"{RULE}.half_life_days", 0,
         f"{NAMED_RULE}.half_life_days must be 1 to 3650 days; leave it out for what never fades"),
        (f"{RULE}.half_life_days", "7", f"{NAMED_RULE}.half_life_days must be a number"),
        (f"{RULE}.cap", 9.9, f"{NAMED_RULE}.cap is below the points of one act"),
        (f"{RULE}.points", 0, f"{NAMED_RULE}.points must not be 0: the rule would do nothing"),
        (f"{RULE}.points", 10.05, f"{NAMED_RULE}.points may have one decimal at most"),
        (f"{RULE}.points", True, f"{NAMED_RULE}.points must be a number"),
        (f"{RULE}.points", float("nan"), f"{NAMED_RULE}.points must be a number"),
        (f"{RULE}.points", 101, f"{NAMED_RULE}.points must be -100 to 100 points"),
        (f"{RULE}.label", " ", f"{NAMED_RULE}.label needs a text"),
        (f"{RULE}.label", "a\x00b", f"{NAMED_RULE}.label holds a character that cannot be shown"),
        (f"{RULE}.colour", "red", f"{NAMED_RULE}.colour is not known here"),
        (f"{RULE}.match", {}, f"{NAMED_RULE}.match needs a kind, asset, funnel_stage, name"),
        (f"{RULE}.match", [], f"{NAMED_RULE}.match must be an object"),
        (f"{RULE}.match", None, f"{NAMED_RULE}.match is missing"),
        (f"{RULE}.match.asset", 7, f"{NAMED_RULE}.match.asset needs a text"),
        (f"{RULE}.match.property", {"name": "plan", "equals": ["pro"]},
         f"{NAMED_RULE}.match.property.equals needs a text, a number or true or false"),
        (f"{RULE}.match.property", {"name": "seconds", "at_least": "60"},
         f"{NAMED_RULE}.match.property.at_least must be a number"),
        (f"{RULE}.match.property", {"name": "seconds", "at_least": float("inf")},
         f"{NAMED_RULE}.match.property.at_least must be a number"),
        (f"{RULE}.match.property", {"name": "seconds", "at_least": 1e300},
         f"{NAMED_RULE}.match.property.at_least must be a number up to 1,000,000,000"),
        (f"{RULE}.match.property", {"name": "seconds", "at_least": 60, "equals": 60},
         f"{NAMED_RULE}.match.property.at_least does not go with equals, which names one value"),
        (f"{RULE}.match.property", {"name": "seconds"},
         f"{NAMED_RULE}.match.property.equals needs a text, a number or true or false"),
        (f"{RULE}.repeat", {"times": 1, "days": 7},
         f"{NAMED_RULE}.repeat.times must be a whole number from 2 to 100"),
        (f"{RULE}.repeat", {"times": 2, "days": 7.5},
         f"{NAMED_RULE}.repeat.days must be a whole number from 1 to 365"),
        ("engagement.groups", [], "engagement.groups is empty: no act would ever count"),
        ("engagement.groups.0.rules", [], "engagement.groups[0].rules needs at least one rule"),
        ("engagement.groups.0.cap", 100.1, "engagement.groups[0].cap must be 0.1 to 100 points"),
        ("engagement.groups.0.floor", 1, "engagement.groups[0].floor must be -100 to 0 points"),
        ("engagement.levels.2", 75, "engagement.levels must fall from 1 to 3"),
        ("engagement.levels.2", 50.5, "engagement.levels.2 must be a whole number from 1 to 100"),
        ("fit.grades.A", 40, "fit.grades must fall from A to C"),
        ("fit.personas.0.rules.0.criteria.field", "shoe_size",
         "fit.personas[0].rules[0].criteria.field there is no field 'shoe_size'"),
        ("fit.personas.0.rules.0.criteria.field", "segment",
         "fit.personas[0].rules[0].criteria.field there is no field 'segment'"),
        ("fit.personas.0.rules.0.criteria.value", ["XX"],
         "fit.personas[0].rules[0].criteria.value Country does not know 'XX'"),
        ("fit.personas.0.rules.0.criteria", {},
         "fit.personas[0].rules[0].criteria needs at least one condition"),
        ("mql.cells", ["A1", "E5"], "mql.cells does not know 'E5'; cells go from A1 to D4"),
        ("mql.fast_track.0.kind", "DEMO", "mql.fast_track[0].kind does not know 'DEMO'"),
        ("disqualifiers", [{"reason": "All", "criteria": {}}],
         "disqualifiers[0].criteria needs at least one condition"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(path: str, value: Any, problem: str) -> None:
    told, *_ = problems_of(changed(path, value))
    assert told[: len(problem)] == problem


def test_all_faults_come_out_at_once() -> None:
    faulty = changed(f"{RULE}.points", "ten")
    faulty["engagement"]["groups"][0]["name"] = ""
    assert problems_of(faulty) == [
        "engagement.groups[0].name needs a text",
        f"{NAMED_RULE}.points must be a number",
    ]


def test_caps_that_go_beyond_the_scale_are_refused() -> None:
    faulty = document()
    group = faulty["engagement"]["groups"][0]
    faulty["engagement"]["groups"] = [
        {**group, "name": "One", "cap": 60},
        {**group, "name": "Two", "cap": 40.1, "rules": [{**group["rules"][0], "label": "Other"}]},
    ]
    assert problems_of(faulty) == ["engagement.groups has caps of more than 100 points together"]


def test_two_rules_of_one_name_are_refused() -> None:
    rule = document()["engagement"]["groups"][0]["rules"][0]
    assert problems_of(document(rule, rule)) == ["engagement.groups says 'Download' twice"]


def test_ways_of_counting_that_exclude_each_other_are_refused() -> None:
    rule = document()["engagement"]["groups"][0]["rules"][0]
    once_and_first = {**rule, "once_per_asset": True, "first_only": True}
    once_and_repeat = {**rule, "once_per_asset": True, "repeat": {"times": 2, "days": 7}}
    assert problems_of(document(once_and_first)) == [
        f"{NAMED_RULE}.first_only does not go with once_per_asset: only one act would count"
    ]
    assert problems_of(document(once_and_repeat)) == [
        f"{NAMED_RULE}.once_per_asset does not go with repeat, which counts once anyway"
    ]


def test_a_model_by_which_no_lead_could_become_an_mql_is_refused() -> None:
    assert problems_of(document(mql={})) == [
        "mql names no cell and no fast-track act: no lead would be one"
    ]


def test_a_grid_without_personas_is_refused() -> None:
    fit = {"grades": {"A": 75, "B": 50, "C": 25}}
    assert problems_of(document(fit=fit)) == [
        "fit.personas is empty: nobody would reach a cell of the grid"
    ]


@pytest.mark.parametrize("document", [None, [], "model", 7])
def test_what_is_no_object_is_refused(document: Any) -> None:
    assert problems_of(document)[0] in {"the document is missing", "the document must be an object"}


def test_a_fit_that_would_follow_from_the_score_is_refused() -> None:
    circular = changed(
        "fit.personas.0.rules.0.criteria", {"field": "cell", "op": "in", "value": ["A1"]}
    )
    assert problems_of(circular) == [
        "fit.personas[0].rules[0].criteria asks for Grade cell, which follows from this model"
    ]


def test_relative_dates_make_a_model_move_with_time() -> None:
    newcomers = {"field": "created", "op": "within", "value": "7d"}
    moving = document(disqualifiers=[{"reason": "New", "criteria": {"not": newcomers}}])
    assert parse_definition(moving).moves_with_time
    assert not parse_definition(document()).moves_with_time


@pytest.mark.parametrize(
    ("fit", "engagement", "cell"),
    [(750, 750, "A1"), (749, 749, "B2"), (250, 250, "C3"), (249, 249, "D4"), (None, 900, "")],
)
def test_thresholds_belong_to_the_better_grade(fit: int | None, engagement: int, cell: str) -> None:
    assert parse_definition(document()).cell(fit, engagement) == cell

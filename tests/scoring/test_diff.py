"""What two documents differ in, as sentences; a rename is no removal."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.diff import Change, Difference, differences, same_mql_definition
from scoring.presets import default_definition
from tests.scoring.logs import document

pytestmark = pytest.mark.django_db


def rule(label: str, **fields: Any) -> dict[str, Any]:
    return {"label": label, "match": {"kind": "DOWNLOAD"}, "points": 10, **fields}


def model(*rules: dict[str, Any], **mql: Any) -> dict[str, Any]:
    return document(*rules, mql={"cells": ["A1"], **mql})


def told(before: object, after: object) -> list[str]:
    return [each.sentence for each in differences(before, after)]


def test_a_document_differs_in_nothing_from_itself() -> None:
    shipped = default_definition()
    assert differences(shipped, deepcopy(shipped)) == []


def test_another_way_to_write_the_same_is_no_difference() -> None:
    brief = model(rule("A"), fast_track=[{"kind": "DEMO_REQUEST"}])
    wordy = model(
        rule("A", cap=100, once_per_asset=False, half_life_days=None, points=10.0),
        fast_track=[{"kind": "DEMO_REQUEST", "shortest_tier": True}],
        fast_track_days=30,
        blocking=[],
    )
    wordy["engagement"]["groups"][0]["floor"] = 0
    wordy["fit"]["base"] = 50
    assert differences(brief, wordy) == []


def test_another_tier_of_a_fast_track_touches_what_both_teams_sign() -> None:
    act = {"kind": "DEMO_REQUEST"}
    shortest = model(fast_track=[act])
    other = model(fast_track=[{**act, "shortest_tier": False}])
    assert [each.touches_mql for each in differences(shortest, other)] == [True]
    assert told(model(), other) == [
        "New fast track “Asks for a demo”: MQL at once, usual response time"
    ]


def test_a_changed_rule_says_what_it_is_and_what_it_was() -> None:
    before, after = model(rule("A", cap=20)), model(rule("A", points=12, cap=24, half_life_days=5))
    assert differences(before, after) == [
        Difference(
            Change.CHANGED,
            "engagement.groups[0].rules[0]",
            "Rule “A”: +12, was +10; cap 24, was 20; half-life 5 days, was no half-life",
            "was +10, cap 20, half-life no half-life",
        )
    ]


def test_new_and_removed_rules_are_told_whole() -> None:
    found = differences(model(rule("A")), model(rule("B", points=3)))
    assert [(each.kind, each.hint) for each in found] == [(Change.NEW, "new"), (Change.REMOVED, "")]
    assert [each.sentence for each in found] == [
        "New rule “B”: Downloads any asset: +3 each time, no half-life",
        "Removed rule “A”: Downloads any asset: +10 each time, no half-life",
    ]


def test_a_rule_with_the_same_body_under_another_name_was_renamed() -> None:
    found = differences(
        model(rule("A"), rule("B", points=3)), model(rule("B", points=3), rule("C"))
    )
    assert [each.sentence for each in found] == [
        "Rule “A”: called C now",
        "Rules of Acts are in another order",
    ]
    assert found[0].hint == "was A"


def test_of_two_rules_with_one_body_one_is_renamed_and_one_is_removed() -> None:
    assert told(model(rule("A"), rule("B")), model(rule("C"))) == [
        "Rule “A”: called C now",
        "Removed rule “B”: Downloads any asset: +10 each time, no half-life",
    ]


def test_a_rule_that_changed_its_group_was_moved() -> None:
    before = model(rule("A"), rule("B", points=3))
    after = deepcopy(before)
    moved = after["engagement"]["groups"][0]["rules"].pop()
    after["engagement"]["groups"][0]["cap"] = 50
    after["engagement"]["groups"].append({"name": "More", "cap": 50, "rules": [moved]})
    assert told(before, after) == [
        "Group “Acts”: cap 50, was 100",
        "New group “More”: cap 50",
        "Rule “B”: moved from Acts to More",
    ]


def test_a_renamed_group_or_persona_takes_its_rules_along() -> None:
    before, after = model(rule("A")), model(rule("A"))
    after["engagement"]["groups"][0]["name"] = "Downloads"
    after["fit"]["personas"][0]["name"] = "Head of maintenance"
    assert told(before, after) == [
        "Group “Acts”: called Downloads now",
        "Persona “Maintenance lead”: called Head of maintenance now",
    ]


def test_cells_acts_conditions_and_spans_change_the_mql_definition() -> None:
    criteria = {"field": "country", "op": "in", "value": ["DE"]}
    before = model(
        fast_track=[{"kind": "DEMO_REQUEST"}], blocking=[{"label": "X", "criteria": criteria}]
    )
    after = model(
        cells=["A1", "C2"],
        fast_track=[{"kind": "TRIAL_START"}],
        fast_track_days=60,
        blocking=[{"label": "X", "criteria": {**criteria, "value": ["AT"]}}],
    )
    found = differences(before, after)
    assert [each.sentence for each in found] == [
        "New fast track “Starts a trial”: MQL at once, shortest response time",
        "Removed fast track “Asks for a demo”: MQL at once, shortest response time",
        "Blocking condition “X”: Country is Austria, was Country is Germany",
        "New cell C2: makes an MQL",
        "Days for which a fast track counts 60, was 30",
    ]
    assert all(each.touches_mql for each in found)


def test_points_thresholds_names_and_orders_do_not_change_the_mql_definition() -> None:
    criteria = {"field": "country", "op": "in", "value": ["DE"]}
    acts = [{"kind": "DEMO_REQUEST"}, {"kind": "TRIAL_START"}]
    before = model(rule("A"), fast_track=acts, blocking=[{"label": "X", "criteria": criteria}])
    after = model(
        rule("B", points=50), fast_track=acts[::-1], blocking=[{"label": "Y", "criteria": criteria}]
    )
    after["fit"]["grades"]["A"] = 90
    after["disqualifiers"] = [{"reason": "Far", "criteria": criteria}]
    assert same_mql_definition(before, after)
    assert "Grade A, from a fit of 90, was 75" in told(before, after)
    assert "Blocking condition “X”: called Y now" in told(before, after)


@pytest.mark.parametrize(
    "faulty", [None, 7, [], {"fit": 7}, {"mql": {"cells": 3, "blocking": [1]}}]
)
def test_faulty_documents_are_compared_too(faulty: object) -> None:
    assert differences(faulty, faulty) == []
    assert differences(faulty, model())
    assert differences(model(), faulty)


ADDRESSES = [
    ("engagement", "groups", 0, "cap"),
    ("engagement", "groups", 1, "rules", 0, "points"),
    ("engagement", "groups", 2, "rules", 1, "half_life_days"),
    ("engagement", "groups", 2, "rules", 1, "label"),
    ("engagement", "levels", "2"),
    ("fit", "base"),
    ("fit", "grades", "B"),
    ("fit", "personas", 1, "name"),
    ("fit", "personas", 1, "rules", 2, "points"),
    ("mql", "cells"),
    ("mql", "fast_track_days"),
    ("mql", "fast_track", 1, "kind"),
]  # fmt: skip


@given(st.lists(st.sampled_from(ADDRESSES), unique=True, min_size=1))
def test_every_change_is_told_and_only_those_of_the_definition_touch_it(
    addresses: list[tuple[Any, ...]],
) -> None:
    before, after = default_definition(), default_definition()
    for *way, last in addresses:
        place = after
        for step in way:
            place = place[step]
        old = place[last]
        if isinstance(old, str):
            place[last] = "CUSTOM" if last == "kind" else f"{old} anew"
        else:
            place[last] = [*old, "D4"] if isinstance(old, list) else old + 1

    found = differences(before, after)

    assert {each.touches_mql for each in found} <= {True, False}
    assert len(found) >= len(addresses) - 1
    assert same_mql_definition(before, after) == all(way[0] != "mql" for way in addresses)
    assert len(differences(after, before)) == len(found)

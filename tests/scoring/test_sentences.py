"""Rules in words, in parts that can be edited, however faulty the draft."""

from __future__ import annotations

from typing import Any

import pytest

from engagement.enums import EventKind
from scoring import sentences
from scoring.presets import default_definition
from scoring.sentences import Part, engagement_rule

pytestmark = pytest.mark.django_db


def rule(match: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"label": "Rule", "match": match, "points": 15, **fields}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            rule(
                {"kind": "DOWNLOAD", "funnel_stage": "BOFU"},
                once_per_asset=True, cap=30, half_life_days=30,
            ),
            ("Downloads any bottom-of-funnel asset:"
            " +15, once per asset, at most 30, half-life 30 days"),
        ),
        (
            rule({"kind": "PAGE_VIEW", "asset": "pricing"}, points=8, cap=24, half_life_days=14),
            "Views “Pricing page”: +8 each time, at most 24, half-life 14 days",
        ),
        (
            rule(
                {"funnel_stage": "BOFU"}, points=10, half_life_days=1,
                repeat={"times": 2, "days": 7, "different_assets": True},
            ),
            "Uses 2 different bottom-of-funnel assets in 7 days: +10, once, half-life 1 day",
        ),
        (
            rule({"kind": "EMAIL_CLICK"}, points=0.5, repeat={"times": 3, "days": 7}),
            "Clicks in any e-mail 3 times in 7 days: +0.5, once, no half-life",
        ),
        (
            rule({
                "kind": "PAGE_READ", "asset": "api",
                "property": {"name": "seconds", "at_least": 60},
            }, points=6),
            "Reads “api” for at least 60 seconds: +6 each time, no half-life",
        ),
        (
            rule({
                "kind": "CUSTOM", "name": "Seat added",
                "property": {"name": "plan", "equals": "pro"},
            }),
            "Sends any custom event called “Seat added” with plan pro: +15 each time, no half-life",
        ),
        (
            rule({"kind": "UNSUBSCRIBE"}, points=-10, first_only=True),
            "Unsubscribes: −10, the first time only, no half-life",
        ),
        (
            rule({
                "kind": "DEMO_REQUEST", "asset": "pricing",
                "property": {"name": "paid", "equals": False},
            }),
            "Asks for a demo with “Pricing page” with paid no: +15 each time, no half-life",
        ),
    ],
)  # fmt: skip
def test_an_engagement_rule_reads_as_a_sentence(document: dict[str, Any], said: str) -> None:
    assert str(engagement_rule(document, {"pricing": "Pricing page"})) == said


def test_the_words_that_stand_for_a_value_name_it() -> None:
    said = engagement_rule(
        rule({"kind": "PAGE_VIEW", "asset": "pricing"}, cap=24, half_life_days=14)
    )
    assert said.what == (
        Part("Views", "match.kind"),
        Part(" "),
        Part("“pricing”", "match.asset"),
    )
    assert [part for part in said.terms if part.field] == [
        Part("+15", "points"),
        Part("each time", "counting"),
        Part("24", "cap"),
        Part("14 days", "half_life_days"),
    ]


def test_every_kind_of_act_has_a_verb_of_its_own() -> None:
    said = {str(engagement_rule(rule({"kind": kind}))) for kind in EventKind.values}
    assert len(said) == len(EventKind.values)
    assert not any(" a page" in each for each in said)


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        ({}, "Uses any asset: … each time, no half-life"),
        ({"match": 7, "points": "many"}, "Uses any asset: many each time, no half-life"),
        (
            rule({"kind": "JUMP"}, cap="x", half_life_days=0),
            "JUMP: +15 each time, at most x, half-life 0 days",
        ),
        (
            rule({"kind": ["A"], "funnel_stage": {"a": 1}}, repeat=3),
            "['A'] with any {'a': 1} asset: +15, once, no half-life",
        ),
    ],
)  # fmt: skip
def test_a_faulty_rule_can_be_read_too(faulty: dict[str, Any], said: str) -> None:
    assert str(engagement_rule(faulty)) == said


def test_fit_rules_groups_cells_acts_and_conditions_read_as_sentences() -> None:
    germany = {"field": "country", "op": "in", "value": ["DE"]}
    assert [
        str(sentences.fit_rule({"label": "Near", "criteria": germany, "points": 20})),
        str(sentences.fit_rule({"criteria": {"field": "gone", "op": "is"}})),
        str(sentences.group({"name": "Negative", "cap": 10, "floor": -30, "rules": []})),
        str(sentences.cell("C2")),
        str(sentences.fast_track({"kind": "DEMO_REQUEST"})),
        str(sentences.fast_track({"kind": "TRIAL_START", "shortest_tier": False})),
        str(sentences.condition({"label": "At home", "criteria": germany})),
        str(sentences.condition({"reason": "Too far", "criteria": {}})),
    ] == [
        "Country is Germany: +20",
        "criteria that cannot be read: …",
        "Negative: cap 10, floor −30",
        "Cell C2: makes an MQL",
        "Asks for a demo: MQL at once, shortest response time",
        "Starts a trial: MQL at once, usual response time",
        "At home: Country is Germany",
        "Too far: …",
    ]


def test_every_rule_of_the_shipped_model_can_be_said() -> None:
    model = default_definition()
    said = [
        str(engagement_rule(each))
        for group in model["engagement"]["groups"]
        for each in group["rules"]
    ]
    assert len(set(said)) == len(said)
    assert not any("…" in each for each in said)

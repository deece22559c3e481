from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL

from leads.enums import LifecycleStage
from leads.models import Lead
from scoring.definition import Definition, parse_definition
from scoring.points import line_value
from scoring.query import ask, engagement_tables
from scoring.reference import Act, Reckoning, reckon
from scoring.sql import record, with_tables
from tests.factories import NOW, make_lead
from tests.scoring.logs import WITHOUT_FIT, document, log_act, log_acts, make_asset

pytestmark = pytest.mark.django_db

ASSETS = ("guide", "case", "pricing")
BERLIN = ZoneInfo("Europe/Berlin")
#: The clocks in Berlin go back an hour in this week.
START = datetime(2025, 10, 20, tzinfo=BERLIN)


def reckoning_of(
    definition: Definition, lead_id: int, as_of: datetime, known_at: datetime | None = None
) -> Reckoning:
    """Return what the query finds, as the plain rule tells it."""
    tables = engagement_tables(definition, ask([lead_id], as_of, known_at=known_at), evidence=True)
    found = record(with_tables(tables, SQL("SELECT * FROM engagement")))
    lines = map(line_value, definition.rules, found["amounts"])
    return Reckoning(tuple(found["counts"]), tuple(lines), found["score"])


# half a day apart, so that acts meet at the same instant and at the edges of spans and half-lives
moments = st.integers(0, 2 * 16).map(
    lambda halves: (START.astimezone(UTC) + timedelta(hours=12 * halves)).astimezone(BERLIN)
)
properties = st.dictionaries(
    st.sampled_from(["plan", "seats"]),
    st.sampled_from(["pro", "", "3", 1, 1.0, True, None, [1], {"seats": 9}, 2.5, 1e308]),
)
acts = st.builds(
    lambda late, **fields: Act(received_at=fields["occurred_at"].astimezone(UTC) + late, **fields),
    late=st.sampled_from([timedelta(0)] * 3 + [timedelta(hours=30), timedelta(days=7)]),
    kind=st.sampled_from(["PAGE_VIEW", "DOWNLOAD"]),
    occurred_at=moments,
    asset=st.sampled_from(["", "guide", "case", "case"]),
    funnel_stage=st.sampled_from(["", "TOFU", "BOFU"]),
    name=st.sampled_from(["", "opened", "100%"]),
    properties=properties,
    is_human=st.sampled_from([True] * 5 + [False]),
)
tenths = st.integers(1, 400).map(lambda n: n / 10)
kinds = st.fixed_dictionaries({"kind": st.sampled_from(["PAGE_VIEW", "DOWNLOAD"])})
others = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["PAGE_VIEW", "DOWNLOAD"]),
        "asset": st.sampled_from([*ASSETS, "gone"]),
        "funnel_stage": st.sampled_from(["TOFU", "BOFU"]),
        "name": st.sampled_from(["opened", "100%"]),
        "property": st.builds(
            lambda name, asked: {"name": name, **asked},
            st.sampled_from(["plan", "seats"]),
            st.sampled_from(
                [
                    {"equals": "pro"},
                    {"equals": 1},
                    {"equals": True},
                    {"equals": 2.5},
                    {"at_least": 1},
                    {"at_least": 2.5},
                    {"at_least": -1},
                ]
            ),
        ),
    },
).filter(bool)
#: Python takes 1 for true: rules that differ by no more must both count.
answers = st.builds(
    lambda value: {"property": {"name": "seats", "equals": value}},
    st.sampled_from([1, 1.0, True]),
)
matches = st.one_of(kinds, kinds, others, answers)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    points = draw(tenths) * draw(st.sampled_from([1, 1, -1]))
    counting = draw(st.sampled_from(["once_per_asset", "first_only", "repeat", "repeat first", ""]))
    rule: dict[str, Any] = {"match": draw(matches), "points": points}
    rule["cap"] = draw(st.sampled_from([100, 100, min(round(abs(points) + 7.3, 1), 100)]))
    rule["half_life_days"] = draw(st.sampled_from([None, 1, 2.5, 7, 30]))
    if counting in {"once_per_asset", "first_only"}:
        rule[counting] = True
    elif counting:
        rule["repeat"] = {
            "times": draw(st.integers(2, 3)),
            "days": draw(st.integers(1, 4)),
            "different_assets": draw(st.booleans()),
        }
        rule["first_only"] = counting == "repeat first"
    return rule


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    drawn = draw(st.lists(st.lists(rules(), min_size=1, max_size=3), min_size=1, max_size=3))
    groups = [
        {
            "name": f"Group {place}",
            "cap": draw(st.sampled_from([12.5, 33])),
            "floor": draw(st.sampled_from([0, -2.5, -30])),
            "rules": [{"label": f"Rule {place}.{i}", **rule} for i, rule in enumerate(group)],
        }
        for place, group in enumerate(drawn)
    ]
    levels = {"1": 75, "2": 50, "3": 25}
    engagement = {"levels": levels, "groups": groups}
    return parse_definition({**WITHOUT_FIT, "engagement": engagement})


@given(
    definition=definitions(),
    log=st.lists(acts, max_size=16),
    as_of=moments,
    learned=st.sampled_from([timedelta(0), timedelta(days=3)]),
    recycled_at=st.none() | moments,
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_query_and_the_plain_rule_agree(
    definition: Definition,
    log: list[Act],
    as_of: datetime,
    learned: timedelta,
    recycled_at: datetime | None,
    assets: None,
) -> None:
    lead = recycled_lead(recycled_at) if recycled_at else make_lead()
    log_acts(lead.pk, log)
    since = recycled_at if recycled_at and recycled_at <= as_of else None
    known_at = as_of.astimezone(UTC) + learned

    told = reckon(definition, log, as_of=as_of, known_at=known_at, since=since)
    assert reckoning_of(definition, lead.pk, as_of, known_at) == told


def recycled_lead(at: datetime) -> Lead:
    return make_lead(stage=LifecycleStage.RECYCLED, cycle=2, created_at=START, stage_since=at)


@pytest.fixture
def assets() -> None:
    for slug in ASSETS:
        make_asset(slug)


DOWNLOAD = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 10}


def reckoned(rule: dict[str, Any], *acts: tuple[float, str]) -> Reckoning:
    """Return what one rule makes of downloads so many days ago, each of an asset."""
    lead = make_lead(created_at=NOW - timedelta(days=90))
    for days, asset in acts:
        log_act(lead.pk, "DOWNLOAD", NOW - timedelta(days=days), asset=asset)
    definition = parse_definition(document({**DOWNLOAD, **rule}, **WITHOUT_FIT))
    return reckoning_of(definition, lead.pk, NOW)


@pytest.mark.usefixtures("assets")
@pytest.mark.parametrize(
    ("rule", "acts", "count", "score"),
    [
        # 10 points with a half-life of 10 days: today 10.0, 5 days ago 7.07, 10 days ago 5.0
        ({"half_life_days": 10}, [(0, ""), (5, ""), (10, "")], 3, 221),
        ({"half_life_days": 10, "cap": 20}, [(0, ""), (5, ""), (10, "")], 3, 200),
        ({}, [(0, ""), (400, "")], 2, 200),
        # the latest act on each asset; no asset is one, too
        ({"half_life_days": 10, "once_per_asset": True},
         [(0, "case"), (10, "case"), (10, "guide"), (20, ""), (30, "")], 3, 175),
        ({"half_life_days": 10, "first_only": True}, [(0, ""), (10, ""), (20, "")], 1, 25),
        # two in two days: the span is half-open, and the latest run counts
        ({"repeat": {"times": 2, "days": 2}}, [(0, ""), (2, "")], 0, 0),
        ({"repeat": {"times": 2, "days": 2}, "half_life_days": 10},
         [(10, ""), (11.5, ""), (20, ""), (21, "")], 1, 50),
        ({"repeat": {"times": 2, "days": 2}, "half_life_days": 10, "first_only": True},
         [(10, ""), (11.5, ""), (20, ""), (21, "")], 1, 25),
        ({"repeat": {"times": 3, "days": 2}}, [(0, ""), (0, ""), (1, "")], 1, 100),
        # different assets: the same one twice is one, and none is none
        ({"repeat": {"times": 2, "days": 2, "different_assets": True}},
         [(0, "case"), (10, "case")], 0, 0),
        ({"repeat": {"times": 2, "days": 2, "different_assets": True}},
         [(0, "case"), (0, "guide"), (2, "case")], 1, 100),
        ({"repeat": {"times": 2, "days": 2, "different_assets": True}},
         [(0, "case"), (1, "case"), (1.5, "")], 0, 0),
        ({"repeat": {"times": 2, "days": 2, "different_assets": True}},
         [(0, "case"), (1, "case"), (1.5, "guide")], 1, 100),
        ({"repeat": {"times": 2, "days": 2, "different_assets": True}},
         [(0, "case"), (1, "case"), (2, "guide")], 1, 100),
        ({"repeat": {"times": 2, "days": 2, "different_assets": True}},
         [(0, "case"), (2, "guide")], 0, 0),
    ],
)  # fmt: skip
def test_a_line_worked_out_by_hand(
    rule: dict[str, Any], acts: list[tuple[float, str]], count: int, score: int
) -> None:
    assert reckoned(rule, *acts) == Reckoning((count,), (score,), score)


@pytest.mark.parametrize("answers", [(True, 1), (1, True)])
def test_true_and_one_are_asked_by_two_rules(answers: tuple[object, object]) -> None:
    lead = make_lead()
    for given_answer in (1, 1.0, True):
        log_act(lead.pk, "DOWNLOAD", properties={"vip": given_answer})
    rules = [
        {**DOWNLOAD, "label": f"Rule {place}", "match": {"property": asked}}
        for place, asked in enumerate({"name": "vip", "equals": each} for each in answers)
    ]
    told = reckoning_of(parse_definition(document(*rules, **WITHOUT_FIT)), lead.pk, NOW)
    assert dict(zip(map(repr, answers), told.counts, strict=True)) == {"1": 2, "True": 1}


def test_only_a_number_is_at_least_a_number() -> None:
    lead = make_lead()
    for seconds in (60, 60.5, 59.9, "60", "90", True, None, [90], {"seconds": 90}):
        log_act(lead.pk, "PAGE_READ", properties={"seconds": seconds})
    log_act(lead.pk, "PAGE_READ")
    longer = {"kind": "PAGE_READ", "property": {"name": "seconds", "at_least": 60}}
    definition = parse_definition(document({**DOWNLOAD, "match": longer}, **WITHOUT_FIT))
    assert reckoning_of(definition, lead.pk, NOW) == Reckoning((2,), (200,), 200)

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
from scoring.query import ask, engagement_tables
from scoring.reference import Act, reckon
from scoring.sql import rows, with_tables
from tests.factories import NOW, make_lead
from tests.scoring.logs import WITHOUT_FIT, document, log_act, log_acts, make_asset

pytestmark = pytest.mark.django_db

ASSETS = ("guide", "case", "pricing")
BERLIN = ZoneInfo("Europe/Berlin")
#: The clocks in Berlin go back an hour in this week.
START = datetime(2025, 10, 20, tzinfo=BERLIN)


def score_of(
    definition: Definition, lead_id: int, as_of: datetime, known_at: datetime | None = None
) -> tuple[int, list[int]]:
    """Return the score in tenths and how many acts counted for each rule."""
    tables = engagement_tables(definition, ask([lead_id], as_of, known_at=known_at), evidence=True)
    [(score, counts)] = rows(with_tables(tables, SQL("SELECT score, counts FROM engagement")))
    return score, counts


# hours apart, so that acts meet at the same instant and at the edges of spans and half-lives
moments = st.integers(0, 24 * 20).map(
    lambda hours: (START.astimezone(UTC) + timedelta(hours=hours)).astimezone(BERLIN)
)
properties = st.dictionaries(
    st.sampled_from(["plan", "seats"]), st.sampled_from(["pro", "", 1, 1.0, True, None, [1], 2.5])
)
acts = st.builds(
    lambda late, **fields: Act(received_at=fields["occurred_at"].astimezone(UTC) + late, **fields),
    late=st.sampled_from([timedelta(0), timedelta(hours=30), timedelta(days=7)]),
    kind=st.sampled_from(["PAGE_VIEW", "DOWNLOAD", "CUSTOM"]),
    occurred_at=moments,
    asset=st.sampled_from(["", *ASSETS]),
    funnel_stage=st.sampled_from(["", "TOFU", "BOFU"]),
    name=st.sampled_from(["", "opened", "100%"]),
    properties=properties,
    is_human=st.sampled_from([True, True, True, False]),
)
tenths = st.integers(1, 400).map(lambda n: n / 10)
matches = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["PAGE_VIEW", "DOWNLOAD", "CUSTOM"]),
        "asset": st.sampled_from([*ASSETS, "gone"]),
        "funnel_stage": st.sampled_from(["TOFU", "BOFU"]),
        "name": st.sampled_from(["opened", "100%"]),
        "property": st.builds(
            lambda name, value: {"name": name, "equals": value},
            st.sampled_from(["plan", "seats"]),
            st.sampled_from(["pro", 1, True, 2.5]),
        ),
    },
).filter(bool)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    points = draw(tenths) * draw(st.sampled_from([1, 1, -1]))
    counting = draw(st.sampled_from(["once_per_asset", "first_only", "repeat", "repeat first", ""]))
    rule: dict[str, Any] = {"match": draw(matches), "points": points}
    rule["cap"] = abs(points) + draw(st.integers(0, 300)) / 10
    rule["cap"] = min(round(rule["cap"], 1), 100)
    rule["half_life_days"] = draw(st.sampled_from([None, 1, 2.5, 7, 30]))
    if counting in {"once_per_asset", "first_only"}:
        rule[counting] = True
    elif counting:
        rule["repeat"] = {
            "times": draw(st.integers(2, 4)),
            "days": draw(st.integers(1, 9)),
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
            "cap": draw(st.sampled_from([5, 12.5, 30])),
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
    log=st.lists(acts, max_size=14),
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
    found = score_of(definition, lead.pk, as_of=as_of, known_at=known_at)

    assert found == (told.score, list(told.counts))


def recycled_lead(at: datetime) -> Lead:
    return make_lead(stage=LifecycleStage.RECYCLED, cycle=2, created_at=START, stage_since=at)


@pytest.fixture
def assets() -> None:
    for slug in ASSETS:
        make_asset(slug)


def test_a_score_worked_out_by_hand() -> None:
    # 10 points with a half-life of 10 days: today 10.0, 5 days ago 7.07, 10 days ago 5.0
    definition = parse_definition(document(**WITHOUT_FIT))
    lead = make_lead()
    for days in (0, 5, 10):
        log_act(lead.pk, "DOWNLOAD", NOW - timedelta(days=days))
    assert score_of(definition, lead.pk, as_of=NOW) == (221, [3])

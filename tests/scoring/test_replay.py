"""The replay against asking at every instant at which anything could have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engagement.enums import EventKind
from engagement.services import record_event
from leads.enums import ConsentPurpose, LifecycleStage
from leads.models import Lead, LeadFact
from leads.services import change_stage, record_consent, update_lead
from scoring.definition import Definition, parse_definition
from scoring.query import ask_pairs
from scoring.reference import Act, reckon
from scoring.replay import Cycle, Span, Verdict, replay
from scoring.scored import score_leads
from tests.factories import NOW, make_lead, make_user
from tests.scoring.logs import document, log_act, log_acts, publish_model, settle

pytestmark = pytest.mark.django_db

START = NOW - timedelta(days=60)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
CELLS = ["A1", "A2", "A3", "B1", "B2"]


def model(*rules: dict[str, Any], cells: Sequence[str] = CELLS, **parts: Any) -> Definition:
    mql = {"cells": list(cells), "fast_track": [{"kind": "DEMO_REQUEST"}], "fast_track_days": 10}
    return parse_definition(document(*rules, **{"mql": mql, **parts}))


def rule(label: str, kind: str, points: float, **parts: Any) -> dict[str, Any]:
    return {"label": label, "match": {"kind": kind}, "points": points, **parts}


#: Whole minutes: then every minute can be asked, and nothing happens between two of them.
ENDS = START + 30 * HOUR
minutes = st.integers(0, 25 * 60).map(lambda n: START + n * MINUTE)
acts = st.builds(
    lambda kind, at, late, is_human: Act(
        kind=kind, occurred_at=at, received_at=at + late, is_human=is_human
    ),
    kind=st.sampled_from(["DOWNLOAD", "DOWNLOAD", "PAGE_VIEW", "EMAIL_CLICK", "UNSUBSCRIBE"]),
    at=minutes,
    late=st.sampled_from([0 * HOUR, 0 * HOUR, 3 * HOUR]),
    is_human=st.sampled_from([True] * 6 + [False]),
)
half_lives: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"half_life_days": 1}, {"half_life_days": 7}]
)
countings: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"once_per_asset": True}, {"first_only": True}, {"repeat": {"times": 2, "days": 1}}]
)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    kinds = [("Download", "DOWNLOAD", 30), ("Page", "PAGE_VIEW", 19), ("Click", "EMAIL_CLICK", 13)]
    rules = [
        rule(label, kind, points, **draw(half_lives), **draw(countings))
        for label, kind, points in kinds
    ]
    rules.append(rule("Gone", "UNSUBSCRIBE", -25, **draw(half_lives)))
    cells = draw(st.sampled_from([["B1", "B2"], ["B2"], ["B3"], ["B1", "B4"], ["A1", "B1"]]))
    document = model(*rules, cells=cells)
    return replace(document, groups=tuple(replace(group, floor=-300) for group in document.groups))


def first_minute_inside(definition: Definition, log: Sequence[Act], fit: int) -> datetime | None:
    """Ask the plain rule at every minute of the period."""
    at = START
    while at < ENDS:
        told = reckon(definition, log, as_of=at)
        if definition.cell(fit, told.score) in definition.cells:
            return at
        at += MINUTE
    return None


@given(definition=definitions(), log=st.lists(acts, max_size=8))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_replay_finds_the_first_minute_at_which_the_plain_rule_is_met(
    definition: Definition, log: list[Act]
) -> None:
    lead = captured_lead()
    log_acts(lead.pk, log)

    found = verdict_of(lead, definition, ends_at=ENDS).mql_at

    assert found == first_minute_inside(definition, log, fit=700)
    assert found is None or inside(definition, lead, found)


def captured_lead(**fields: Any) -> Lead:
    """Make a lead of grade B, of which everything was known at its capture."""
    lead = make_lead(**{"country": "DE", "created_at": START, **fields})
    LeadFact.objects.create(
        lead=lead, field="country", value=lead.country, recorded_at=lead.created_at
    )
    return lead


def verdict_of(lead: Lead, definition: Definition, **period: datetime) -> Verdict:
    """Replay one model over the only cycle of one lead."""
    [(_, [verdict])] = cycles_of(lead, definition, **period)
    return verdict


def cycles_of(
    lead: Lead,
    *definitions: Definition,
    starts_at: datetime = START,
    ends_at: datetime = NOW,
) -> list[tuple[Cycle, list[Verdict]]]:
    return list(replay(definitions, Span(lead.pk, lead.pk, starts_at, ends_at), now=ends_at))


def inside(definition: Definition, lead: Lead, at: datetime) -> bool:
    """Ask the score query itself, in one piece."""
    [scored] = score_leads(definition, [lead.pk], ask_pairs([(lead.pk, at)]), now=at)
    return scored.meets_definition


DOWNLOADS = rule("Download", "DOWNLOAD", 30, half_life_days=10)


def test_of_two_models_each_is_replayed_by_its_own_points() -> None:
    lead = captured_lead()
    for day in (1, 2, 3):
        log_act(lead.pk, "DOWNLOAD", START + day * DAY)

    [(_, verdicts)] = cycles_of(
        lead, model(DOWNLOADS), model(rule("Download", "DOWNLOAD", 55, half_life_days=10))
    )

    # 30 + 28.0 after two downloads, 55 after one
    assert [each.mql_at for each in verdicts] == [START + 2 * DAY, START + DAY]
    assert [each.rule for each in verdicts] == ["Cell B2", "Cell B2"]


def test_a_draft_that_asks_for_true_instead_of_one_is_replayed_by_its_own_rule() -> None:
    lead = captured_lead()
    log_act(lead.pk, "DOWNLOAD", START + DAY, properties={"vip": True})
    one, true = (
        {"kind": "DOWNLOAD", "property": {"name": "vip", "equals": value}} for value in (1, True)
    )

    [(_, verdicts)] = cycles_of(
        lead, *(model({**DOWNLOADS, "points": 60, "match": match}) for match in (one, true))
    )

    assert [each.mql_at for each in verdicts] == [None, START + DAY]


def test_a_buying_act_counts_when_it_is_received_and_while_nothing_bars() -> None:
    lead = captured_lead()
    log_act(lead.pk, "DEMO_REQUEST", START + DAY, received_at=START + DAY + HOUR)

    found = verdict_of(lead, model(DOWNLOADS))

    assert (found.mql_at, found.rule) == (START + DAY + HOUR, "Fast track: asked for a demo")


def test_what_was_recorded_later_was_not_known_before() -> None:
    lead = captured_lead(country="US")
    for hour in (1, 2):
        log_act(lead.pk, "DOWNLOAD", START + hour * HOUR)
    changed_at = START + 5 * HOUR
    Lead.objects.filter(pk=lead.pk).update(country="DE")
    LeadFact.objects.create(lead=lead, field="country", value="DE", recorded_at=changed_at)
    abroad = {"label": "Abroad", "criteria": OUTSIDE["criteria"]}
    german = model(DOWNLOADS, mql={"cells": ["B2"], "blocking": [abroad]})

    assert verdict_of(lead, german).mql_at == changed_at


OUTSIDE = {
    "reason": "Outside Germany",
    "criteria": {"field": "country", "op": "not_in", "value": ["DE"]},
}
GERMAN = {"disqualifiers": [OUTSIDE], "mql": {"cells": ["B2", "D2"], "fast_track_days": 10}}


@pytest.mark.parametrize("is_asked_again", [False, True])
@pytest.mark.parametrize("is_brought_back", [False, True])
def test_who_is_disqualified_is_out_until_a_person_says_otherwise_as_in_daily_work(
    is_brought_back: bool, is_asked_again: bool
) -> None:
    publish_model(document(DOWNLOADS, **GERMAN), now=START - DAY)
    lead = captured_lead(country="US")
    live_by(lead, START + HOUR)
    if is_brought_back:
        change_stage(
            lead_id=lead.pk, to_stage=LifecycleStage.LEAD, now=START + DAY, actor=make_user(),
            reason="Moves to Berlin",
        )  # fmt: skip
    if is_asked_again:
        update_lead(lead_id=lead.pk, now=START + DAY + HOUR, city="Boston")
        settle(START + DAY + HOUR)
        update_lead(lead_id=lead.pk, now=START + 2 * DAY, country="DE")
        settle(START + 2 * DAY)
    for hour in (1, 2):
        live_by(lead, START + 3 * DAY + hour * HOUR)

    verdicts = [
        each for _, [each] in cycles_of(lead, parse_definition(document(DOWNLOADS, **GERMAN)))
    ]

    lead.refresh_from_db()
    is_mql = is_brought_back and not is_asked_again
    assert (lead.stage == LifecycleStage.MQL) is is_mql
    assert [each.mql_at for each in verdicts if each.mql_at] == [lead.stage_since] * is_mql


def live_by(lead: Lead, at: datetime) -> None:
    """Have a lead download something, and the sweep look at it."""
    record_event(lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=at, now=at)
    settle(at)


def test_consent_bars_until_it_is_given() -> None:
    lead = captured_lead()
    for hour in (1, 2):
        log_act(lead.pk, "DOWNLOAD", START + hour * HOUR)
    given_at = START + 30 * HOUR
    record_consent(
        lead_id=lead.pk,
        purpose=ConsentPurpose.CONTACT,
        text="Call me",
        source="a test",
        asked_at=given_at,
        given_at=given_at,
        now=given_at,
    )
    mql = {"cells": CELLS, "blocking": [NO_CONSENT]}

    assert verdict_of(lead, parse_definition(document(DOWNLOADS, mql=mql))).mql_at == given_at


NO_CONSENT = {
    "label": "No consent",
    "criteria": {"field": "consent_contact", "op": "is_empty"},
}


def test_after_a_recycle_only_new_acts_count_in_a_cycle_of_its_own() -> None:
    lead = captured_lead()
    for hour in (1, 2):
        log_act(lead.pk, "DOWNLOAD", START + hour * HOUR)
    recycled_at = START + 10 * DAY
    for stage, at in (("MQL", START + 2 * HOUR), ("RECYCLED", recycled_at)):
        change_stage(
            lead_id=lead.pk, to_stage=LifecycleStage(stage), now=at, actor=make_user(), reason="x"
        )
    for hour in (1, 2):
        log_act(lead.pk, "DOWNLOAD", recycled_at + hour * HOUR)

    found = cycles_of(lead, model(DOWNLOADS))

    assert [(cycle.number, verdict.mql_at) for cycle, [verdict] in found] == [
        (1, START + 2 * HOUR),
        (2, recycled_at + 2 * HOUR),
    ]
    assert [cycle.refused_at for cycle, _ in found] == [recycled_at, None]


def test_nothing_is_found_after_a_person_ended_the_cycle() -> None:
    lead = captured_lead()
    log_act(lead.pk, "DOWNLOAD", START + HOUR)
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.DISQUALIFIED,
        now=START + 2 * HOUR,
        actor=make_user(),
        reason="A rival",
    )
    log_act(lead.pk, "DOWNLOAD", START + 3 * HOUR)

    assert verdict_of(lead, model(DOWNLOADS)).mql_at is None


def test_a_disqualifier_of_another_model_does_not_end_a_cycle() -> None:
    lead = captured_lead()
    log_act(lead.pk, "DOWNLOAD", START + HOUR)
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.DISQUALIFIED,
        now=START + 2 * HOUR,
        rule="Disqualifier of model v1",
        reason="Too small",
    )
    log_act(lead.pk, "DOWNLOAD", START + 3 * HOUR)

    assert verdict_of(lead, model(DOWNLOADS)).mql_at == START + 3 * HOUR


def test_what_was_there_before_the_period_needs_news_in_it() -> None:
    lead = captured_lead()
    for hour in (1, 2):
        log_act(lead.pk, "DOWNLOAD", START + hour * HOUR)
    log_act(lead.pk, "PAGE_VIEW", START + 3 * DAY)

    definition = model({**DOWNLOADS, "half_life_days": 60})

    assert verdict_of(lead, definition, starts_at=START + 2 * DAY).mql_at == START + 3 * DAY
    assert verdict_of(lead, definition, starts_at=START + 4 * DAY).mql_at is None


def test_imported_acts_count_from_when_they_happened() -> None:
    lead = captured_lead()
    for hour in (1, 2):
        log_act(lead.pk, "DOWNLOAD", START + hour * HOUR, received_at=NOW - DAY)

    assert verdict_of(lead, model(DOWNLOADS)).mql_at == START + 2 * HOUR

"""What a score of the past is explained with: what was known then, and nothing that came later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engagement.enums import Actor, EventKind, LinkReason
from engagement.event_ids import agent_id
from engagement.models import ActorChange, Event, Visitor, VisitorLink
from engagement.services import decide_actor, reclassify_events, record_event, withdraw_decision
from engagement.services.judging import keep_agents
from leads.enums import ConsentPurpose, DealOutcome, LifecycleStage
from leads.models import Company
from leads.services import change_stage, merge_leads, record_consent, record_deal
from scoring.definition import parse_definition
from scoring.reference import Act, reckon
from scoring.services import explain, explain_by
from tests.factories import NOW, make_lead, make_user
from tests.scoring.logs import WITHOUT_FIT, document, log_act, publish_model

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Happening:
    """A download: when it was received and proven to be the lead's, and how it was judged.

    ``flips`` are the days on which it was held for the other actor's; ``is_human`` is how it is
    held for in the end.
    """

    day: int
    late: int
    proven: int | None
    flips: list[int]
    is_human: bool

    def act_at(self, known_at: datetime) -> Act:
        """Return the act as it was known at a time."""
        to_come = sum(NOW + day * DAY > known_at for day in self.flips)
        known = NOW + max(self.day + self.late, self.proven or 0) * DAY
        return Act(
            "DOWNLOAD", NOW + self.day * DAY, known, is_human=self.is_human ^ bool(to_come % 2)
        )


def write(lead_id: int, happening: Happening) -> None:
    """Write what is in the log and beside it in the end."""
    link = None if happening.proven is None else identify(lead_id, happening.proven)
    event = Event.objects.create(
        id=uuid4(), lead_id=lead_id, link=link, kind=EventKind.DOWNLOAD,
        actor=Actor.HUMAN if happening.is_human else Actor.MACHINE,
        occurred_at=NOW + happening.day * DAY,
        received_at=NOW + (happening.day + happening.late) * DAY,
    )  # fmt: skip
    is_human = happening.is_human
    for day in reversed(happening.flips):
        is_human = not is_human
        ActorChange.objects.create(
            event_id=event.id, was_actor=Actor.HUMAN if is_human else Actor.MACHINE,
            changed_at=NOW + day * DAY,
        )  # fmt: skip


def score_at(lead_id: int, days: float, known: float | None = None) -> tuple[float, int]:
    """Return the engagement so many days after NOW, and how many acts were not known then."""
    known_at = None if known is None else NOW + known * DAY
    told = explain(lead_id=lead_id, as_of=NOW + days * DAY, known_at=known_at)
    return float(told.engagement_score), told.acts_unknown


def view(lead_id: int, **fields: Any) -> Event:
    return record_event(
        lead_id=lead_id, kind=EventKind.PAGE_VIEW, occurred_at=NOW, now=NOW, **fields
    )


def test_what_was_held_for_a_persons_act_then_counted_then() -> None:
    publish_model(document({"label": "View", "match": {"kind": "PAGE_VIEW"}, "points": 10}))
    lead, marketer = make_lead(), make_user()
    event = view(lead.pk)
    decide_actor(event_id=event.id, actor=Actor.MACHINE, decided_by=marketer, now=NOW + 2 * DAY)
    withdraw_decision(event_id=event.id, now=NOW + 4 * DAY)

    scores = [score_at(lead.pk, days)[0] for days in (1, 2, 3, 4, 5)]

    assert scores == [10, 0, 0, 10, 10]
    assert score_at(lead.pk, 1, known=3) == (0, 0)
    assert score_at(lead.pk, 3, known=5) == (10, 0)


def test_robots_that_became_known_later_were_people_until_then() -> None:
    publish_model(document({"label": "View", "match": {"kind": "PAGE_VIEW"}, "points": 10}))
    keep_agents(["NewlyKnownBot/1.0"])
    lead = make_lead()
    view(lead.pk, agent_id=agent_id("NewlyKnownBot/1.0"))
    reclassify_events(now=NOW + 2 * DAY)
    reclassify_events(now=NOW + 3 * DAY)

    assert [score_at(lead.pk, days)[0] for days in (1, 2, 4)] == [10, 0, 0]
    assert ActorChange.objects.count() == 1


def test_what_changed_but_the_reason_is_no_change_of_the_actor() -> None:
    lead, marketer = make_lead(), make_user()
    event = view(lead.pk, actor=Actor.MACHINE)
    decide_actor(event_id=event.id, actor=Actor.MACHINE, decided_by=marketer, now=NOW)
    assert not ActorChange.objects.exists()


def visit(lead_id: int | None, link: VisitorLink, days: float) -> None:
    """Append a view of the browser, attached by ``link`` or waiting under it."""
    at = NOW + days * DAY
    Event.objects.create(
        id=uuid4(), lead_id=lead_id, visitor=link.visitor, link=link, kind=EventKind.PAGE_VIEW,
        occurred_at=at, received_at=at,
    )  # fmt: skip


def identify(lead_id: int, proven_after: float | None) -> VisitorLink:
    visitor = Visitor.objects.create(name=str(uuid4()), first_seen_at=NOW, last_seen_at=NOW)
    return VisitorLink.objects.create(
        visitor=visitor, lead_id=lead_id, reason=LinkReason.EMAIL_CLICK, made_at=NOW,
        proven_at=None if proven_after is None else NOW + proven_after * DAY,
    )  # fmt: skip


def test_a_visit_counts_from_when_it_was_known_whose_it_was() -> None:
    publish_model(document({"label": "View", "match": {"kind": "PAGE_VIEW"}, "points": 10}))
    lead = make_lead()
    link = identify(lead.pk, 3)
    visit(lead.pk, link, 1)
    visit(lead.pk, link, 5)

    assert [score_at(lead.pk, days) for days in (2, 3, 6)] == [(0, 1), (10, 0), (20, 0)]
    assert score_at(lead.pk, 2, known=3) == (10, 0)


@pytest.mark.parametrize(
    ("happened", "received", "known", "fit"),
    [(-3, -3, 0, 70), (-3, 0, -2, 50), (-1, -1, 0, 50), (-3, -1, 0, 50), (-3, -3, -4, 50)],
)
def test_fit_counts_acts_that_had_happened_and_were_known(
    happened: int, received: int, known: int, fit: int
) -> None:
    criteria = {"field": "did", "op": "is", "value": "DOWNLOAD"}
    assert fit_by(criteria, happened, received, known) == fit


def fit_by(criteria: dict[str, Any], happened: int, received: int, known: int) -> Decimal | None:
    """Return the fit two days ago by what was known, where criteria give 20 points to 50."""
    rule = {"label": "Asked", "criteria": criteria, "points": 20}
    personas = [{"name": "Anybody", "rules": [rule]}]
    publish_model(document(fit={"grades": {"A": 75, "B": 50, "C": 25}, "personas": personas}))
    lead = make_lead(created_at=NOW - 30 * DAY)
    at, heard_at = NOW + happened * DAY, NOW + received * DAY
    log_act(lead.pk, "DOWNLOAD", at, received_at=heard_at)
    return explain(lead_id=lead.pk, as_of=NOW - 2 * DAY, known_at=NOW + known * DAY).fit_score


def test_a_stage_counts_for_fit_once_it_was_known() -> None:
    criteria = {"field": "stage", "op": "in", "value": ["MQL"]}
    publish_model(
        document(mql={**document()["mql"], "blocking": [{"label": "B", "criteria": criteria}]})
    )
    lead = make_lead(created_at=NOW - 30 * DAY)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.MQL, now=NOW - DAY, rule="Test")
    known = [NOW - 2 * DAY, NOW]
    told = [explain(lead_id=lead.pk, as_of=NOW, known_at=each) for each in known]
    assert [each.blocked_by for each in told] == ["", "B"]


def test_what_never_counts_is_shown_with_0_and_why() -> None:
    publish_model(document({"label": "View", "match": {"kind": "PAGE_VIEW"}, "points": 10}))
    lead = make_lead()
    for _ in range(3):
        log_act(lead.pk, "PAGE_VIEW", is_human=False)
    log_act(lead.pk, "EMAIL_OPEN")
    Event.objects.filter(kind="EMAIL_OPEN").update(actor=Actor.UNKNOWN)
    visit(None, identify(lead.pk, None), 0)

    told = explain(lead_id=lead.pk, as_of=NOW)

    assert told.engagement_score == 0
    assert [(line.text, float(line.points), line.how) for line in told.uncounted] == [
        ("3 events of machines", 0, "a machine caused them"),
        ("1 event of nobody in particular", 0, "nobody can tell whether a person did it"),
        ("1 event of browsers that are not proven", 0, "anybody can type an address"),
    ]


def test_claims_from_before_a_recycling_are_not_shown() -> None:
    publish_model()
    lead = make_lead(created_at=NOW, stage="MQL", stage_since=NOW)
    link = identify(lead.pk, None)
    visit(None, link, 0)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.RECYCLED, now=NOW + DAY, reason="Later")
    visit(None, link, 2)
    told = explain(lead_id=lead.pk, as_of=NOW + 3 * DAY)
    assert [line.text for line in told.uncounted] == ["1 event of browsers that are not proven"]


def blocked_at(lead_id: int, criteria: Any, *days: float) -> list[str]:
    mql = {**document()["mql"], "blocking": [{"label": "Blocked", "criteria": criteria}]}
    publish_model(document(mql=mql))
    told = [explain(lead_id=lead_id, as_of=NOW + each * DAY) for each in days]
    return [each.blocked_by for each in told]


def test_a_block_by_consent_is_as_it_was_then() -> None:
    lead = make_lead()
    for days, is_granted in ((1, True), (3, False)):
        record_consent(
            lead_id=lead.pk, purpose=ConsentPurpose.CONTACT, text="Call me", source="Form",
            asked_at=NOW + days * DAY, given_at=NOW + days * DAY, is_granted=is_granted,
            now=NOW + days * DAY,
        )  # fmt: skip
    withdrawn = {"field": "consent_contact", "op": "in", "value": ["WITHDRAWN"]}
    assert blocked_at(lead.pk, withdrawn, 0, 2, 3, 4) == ["", "", "Blocked", "Blocked"]


def test_a_block_of_customers_begins_with_the_first_deal_of_a_colleague() -> None:
    company = Company.objects.create(name="Kolbe Ventile", created_at=NOW)
    lead = make_lead(company=company)
    buyer = make_lead(company=company, stage="SQL", created_at=NOW - 9 * DAY)
    record_deal(lead_id=buyer.pk, outcome=DealOutcome.WON, closed_at=NOW + DAY, now=NOW + 2 * DAY)
    customer = {"field": "customer", "op": "is", "value": True}
    assert blocked_at(lead.pk, customer, 0, 1, 2) == ["", "Blocked", "Blocked"]


def test_a_lead_cools_off_after_a_recycle_and_only_new_acts_count() -> None:
    lead = make_lead(created_at=NOW - 9 * DAY, stage=LifecycleStage.MQL)
    log_act(lead.pk, "DOWNLOAD", NOW)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.RECYCLED, now=NOW + DAY, reason="Later")
    log_act(lead.pk, "DOWNLOAD", NOW + 2 * DAY)
    cooling = {
        "all": [
            {"field": "stage", "op": "in", "value": ["RECYCLED"]},
            {"field": "stage_since", "op": "within", "value": "30d"},
        ]
    }
    assert blocked_at(lead.pk, cooling, 0, 2, 30, 32) == ["", "Blocked", "Blocked", ""]
    assert explain(lead_id=lead.pk, as_of=NOW).engagement_score == 10
    assert explain(lead_id=lead.pk, as_of=NOW + 2 * DAY).engagement_score == 10
    assert explain(lead_id=lead.pk, as_of=NOW + 2 * DAY).standing == "Blocked: Blocked"


flips = st.lists(st.integers(1, 12), max_size=3, unique=True).map(sorted)
happenings = st.builds(
    Happening,
    day=st.integers(0, 8),
    late=st.sampled_from([0, 0, 2, 5]),
    proven=st.none() | st.integers(0, 12),
    flips=flips,
    is_human=st.booleans(),
)


@given(log=st.lists(happenings, max_size=8), as_of=st.integers(0, 10), learned=st.integers(-3, 6))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_query_over_the_past_and_the_plain_rule_agree(
    log: list[Happening], as_of: int, learned: int
) -> None:
    definition = parse_definition(document(**WITHOUT_FIT))
    lead = make_lead(created_at=NOW)
    for each in log:
        write(lead.pk, each)
    then, known_at = NOW + as_of * DAY, NOW + (as_of + learned) * DAY

    told = reckon(
        definition, [each.act_at(known_at) for each in log], as_of=then, known_at=known_at
    )
    found = explain_by(definition, 1, lead_id=lead.pk, as_of=then, known_at=known_at)
    assert 10 * found.engagement_score == told.score


def test_what_a_merged_lead_did_is_the_survivors_from_the_merge_on() -> None:
    publish_model(document({"label": "View", "match": {"kind": "PAGE_VIEW"}, "points": 10}))
    kept, gone, mira = make_lead(), make_lead(), make_user()
    view(kept.pk)
    view(gone.pk)
    merge_leads(survivor_id=kept.pk, merged_id=gone.pk, actor=mira, now=NOW + 2 * DAY)

    assert [score_at(kept.pk, days)[0] for days in (1, 2, 3)] == [10, 20, 20]
    assert [score_at(kept.pk, 1, known=days) for days in (1, 3)] == [(10, 1), (20, 0)]

"""Who gets a handoff: eligibility at that moment, company owner first, turns under concurrency."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.models import AssignmentDecision, Handoff, RepProfile, RoutingRule
from handoff.services import RoutingInvalid, add_routing_rule
from leads.models import Company
from leads.signals import stage_changed
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import (
    become_mql,
    holder_of,
    make_handoff,
    make_rep,
    overlapping,
)

pytestmark = pytest.mark.django_db


def _holders(number: int, **fields: Any) -> list[User]:
    return [holder_of(become_mql(make_lead(**fields))) for _ in range(number)]


def test_reps_of_a_team_take_turns() -> None:
    team = make_team()
    first, second = make_rep(team), make_rep(team)

    assert _holders(4) == [first, second, first, second]


def test_only_those_who_can_take_work_now_are_chosen() -> None:
    team = make_team(name="DACH")
    away = make_rep(team, full_name="Away")
    gone = make_rep(team, full_name="Gone", is_active=False)
    full = make_rep(team, full_name="Full")
    marketer = make_user(Role.MARKETER, sales_team=team)
    RepProfile.objects.create(
        user=away, absent_from=NOW - timedelta(days=1), absent_until=NOW + timedelta(days=2)
    )
    RepProfile.objects.create(user=gone)
    RepProfile.objects.create(user=full, capacity=0)
    free = make_rep(team, full_name="Free")

    handoff = make_handoff(rep=free)

    assert holder_of(handoff) == free
    decision = AssignmentDecision.objects.get(handoff=handoff)
    assert {line["name"]: line["reason"] for line in decision.candidates} == {
        "Free": "Next in turn",
        "Away": "Absent until 14 May",
        "Gone": "No longer active",
        "Full": "At the cap: 0 of 0 open",
    }
    assert marketer.full_name not in {line["name"] for line in decision.candidates}


def test_an_absence_that_is_over_is_no_barrier() -> None:
    rep = make_rep(make_team())
    RepProfile.objects.create(
        user=rep, absent_from=NOW - timedelta(days=5), absent_until=NOW - timedelta(seconds=1)
    )

    assert holder_of(make_handoff(rep=rep)) == rep


def test_the_cap_counts_open_handoffs() -> None:
    rep = make_rep(make_team())
    RepProfile.objects.create(user=rep, capacity=2)

    handoffs = [make_handoff(rep=rep) for _ in range(3)]

    assert [each.holder for each in handoffs] == [rep, rep, None]


def test_the_first_rule_that_fits_names_the_team() -> None:
    first, second = make_team(name="North"), make_team(name="South")
    make_rep(first)
    southern = make_rep(second)
    stage = {"field": "stage", "op": "in", "value": ["SQL"]}
    RoutingRule.objects.create(position=1, name="Nobody", criteria=stage, team=first)
    RoutingRule.objects.create(position=2, name="The rest", criteria={}, team=second)

    handoff = become_mql(make_lead())

    assert holder_of(handoff) == southern
    assert handoff.decisions.get().rule == "Rule 2, The rest"


def test_a_broken_rule_does_not_keep_a_lead_from_being_handed_over() -> None:
    first, second = make_team(), make_team()
    make_rep(first)
    rep = make_rep(second)
    gone = {"field": "an_attribute_that_is_gone", "op": "is", "value": "x"}
    RoutingRule.objects.create(position=1, name="Broken", criteria=gone, team=first)
    RoutingRule.objects.create(position=2, name="The rest", criteria={}, team=second)

    assert holder_of(become_mql(make_lead())) == rep


def test_a_position_is_taken_once() -> None:
    team = make_team()
    add_routing_rule(position=1, name="DACH", criteria={}, team=team)

    with pytest.raises(RoutingInvalid):
        add_routing_rule(position=1, name="Benelux", criteria={}, team=team)


@pytest.mark.django_db(transaction=True)
def test_of_two_rules_for_one_position_at_once_the_second_is_refused() -> None:
    team = make_team()

    def add() -> RoutingRule | str:
        try:
            return add_routing_rule(position=1, name="DACH", criteria={}, team=team)
        except RoutingInvalid as problem:
            return str(problem)

    assert overlapping(add, add)[1] == "Position 1 is taken by another rule."


def test_who_looks_after_the_company_comes_first_even_from_another_team() -> None:
    company = Company.objects.create(name="Kesterwald Pumpen", created_at=NOW)
    team, other = make_team(), make_team()
    make_rep(team)
    owner = make_rep(other, full_name="Karel Janda")
    RoutingRule.objects.create(position=1, name="All", criteria={}, team=other)
    become_mql(make_lead(company=company))
    RoutingRule.objects.update(team=team)

    handoff = become_mql(make_lead(company=company))

    assert (holder_of(handoff), handoff.team) == (owner, other)
    decision = handoff.decisions.get()
    assert (decision.rule, decision.candidates[0]["reason"]) == (
        "Company owner first",
        "Looks after Kesterwald Pumpen",
    )


def test_a_company_owner_who_left_is_passed_over() -> None:
    company = Company.objects.create(name="Kesterwald Pumpen", created_at=NOW)
    team = make_team()
    owner, other = make_rep(team), make_rep(team)
    become_mql(make_lead(company=company))
    owner.is_active = False
    owner.save(update_fields=["is_active"])

    assert holder_of(become_mql(make_lead(company=company))) == other


@pytest.mark.django_db(transaction=True)
def test_two_openings_at_once_do_not_give_one_rep_two_turns() -> None:
    team = make_team()
    reps = {make_rep(team), make_rep(team)}
    RepProfile.objects.bulk_create(RepProfile(user=rep) for rep in reps)
    leads = [make_lead(), make_lead()]
    routed, release = Event(), Event()

    def hold_the_first(change: Any, **_: Any) -> None:
        if change.lead_id == leads[0].pk:
            routed.set()
            assert release.wait(30)

    stage_changed.connect(hold_the_first)
    try:
        with ThreadPoolExecutor(2) as pool:
            first = in_thread(pool, lambda: become_mql(leads[0]))
            assert routed.wait(30)
            second = in_thread(pool, lambda: become_mql(leads[1]))
            wait_until_blocked(second)
            release.set()
            first.result(30)
            second.result(30)
    finally:
        release.set()
        stage_changed.disconnect(hold_the_first)

    assert {each.holder for each in Handoff.objects.select_related("holder")} == reps

"""What an unanswered handoff comes to: the managers hear of it, then somebody else gets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.common.models import Notification
from handoff.enums import Alarm, ClockKind, HandoffState, TimesOutTo, TouchChannel, TouchOutcome
from handoff.models import Handoff
from handoff.services import accept_handoff, enforce_deadlines, log_touch, reassign_handoff
from tests.concurrency import side_by_side
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import (
    clock_of,
    holder_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)
from tests.handoff.telling import sales_entries

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)
#: ``NOW`` is 11:00 in Berlin, two hours to accept.
ACCEPT_DUE = NOW + 2 * HOUR


@pytest.fixture
def team(db: None) -> SalesTeam:
    make_calendar()
    return make_team(name="DACH")


@pytest.fixture
def first(team: SalesTeam) -> User:
    return make_rep(team, full_name="Jonas Reiter")


def agree(**policy: Any) -> None:
    terms: dict[str, Any] = {"escalate_after": HALF_HOUR, "reassign_after": HOUR}
    make_agreement(**{**terms, **policy})


def told(person: User) -> list[str]:
    lines = Notification.objects.filter(recipient=person).exclude(key__endswith=":opened")
    return list(lines.order_by("id").values_list("title", flat=True))


def test_managers_are_told_after_the_agreed_time_the_holder_at_once(first: User) -> None:
    agree()
    manager = make_user(Role.MANAGER)
    handoff = make_handoff()

    enforce_deadlines(now=ACCEPT_DUE + TICK)
    clock = clock_of(handoff, ClockKind.ACCEPT)
    at_once = told(first), told(manager)
    enforce_deadlines(now=ACCEPT_DUE + HALF_HOUR)
    not_yet = told(manager)
    enforce_deadlines(now=ACCEPT_DUE + HALF_HOUR + TICK)

    name = handoff.lead.display_name
    assert (clock.breached_at, clock.alarm) == (ACCEPT_DUE, Alarm.ESCALATE)
    assert at_once == ([f"Accept overdue: {name}"], [])
    assert not_yet == []
    assert told(manager) == [f"Accept still overdue: {name}"]
    assert told(first) == [f"Accept overdue: {name}"]
    assert clock_of(handoff, ClockKind.ACCEPT).alarm_at is None


def test_an_escalation_to_come_is_no_backlog(first: User) -> None:
    agree()
    make_handoff()
    enforce_deadlines(now=ACCEPT_DUE + TICK)

    assert enforce_deadlines(now=ACCEPT_DUE + 2 * TICK) == 0


def test_an_unaccepted_handoff_goes_to_the_next_rep_after_the_agreed_time(
    team: SalesTeam, first: User
) -> None:
    agree()
    handoff = make_handoff()
    second = make_rep(team)

    enforce_deadlines(now=ACCEPT_DUE + HOUR)
    kept_by = holder_of(handoff)
    enforce_deadlines(now=ACCEPT_DUE + HOUR + TICK)

    assert (kept_by, holder_of(handoff)) == (first, second)
    accept = clock_of(handoff, ClockKind.ACCEPT)
    assert (accept.breached_at, accept.answerable) == (ACCEPT_DUE, first)
    assert clock_of(handoff, ClockKind.VERDICT).answerable == second
    [line, *_] = handoff.decisions.latest("decided_at").candidates
    assert line["chosen"]
    assert {"Had it before"} == {
        each["reason"] for each in handoff.decisions.latest("decided_at").candidates[1:]
    }
    lines = sales_entries(handoff.lead_id, first, None, 9)
    assert [(each.at, each.title, each.detail) for each in lines[:3]] == [
        (ACCEPT_DUE + HOUR + TICK, f"Handed to {second}",
         "Jonas Reiter did not act in time. No rule fits: DACH, the first team. 2 considered."),
        (ACCEPT_DUE + HALF_HOUR, "Accept clock escalated to the managers",
         f"Still unanswered. {handoff.agreement}."),
        (ACCEPT_DUE, "Accept clock breached",
         f"With Jonas Reiter. {handoff.agreement}: 2 h of working time."),
    ]  # fmt: skip
    assert told(first)[-1].startswith("No longer yours")
    assert told(second) == [f"Handed to you: {handoff.lead.display_name}"]


def test_who_lost_it_is_sent_to_a_page_that_they_may_open(team: SalesTeam, first: User) -> None:
    agree()
    handoff = make_handoff()
    second = make_rep(team)
    enforce_deadlines(now=ACCEPT_DUE + HOUR + TICK)
    manager = make_user(Role.MANAGER)
    reassign_handoff(
        handoff_id=handoff.pk, to=first, actor=manager, reason="", now=ACCEPT_DUE + 2 * HOUR
    )

    lost = Notification.objects.filter(title__startswith="No longer yours").order_by("id")
    assert [each.recipient for each in lost] == [first, second]
    for each in lost:
        assert client_of(each.recipient).get(each.url).status_code == 200


def test_the_next_holder_has_the_agreed_time_of_their_own(team: SalesTeam, first: User) -> None:
    agree()
    handoff = make_handoff()
    second = make_rep(team)
    handed_on_at = ACCEPT_DUE + HOUR + TICK
    enforce_deadlines(now=handed_on_at)

    assert clock_of(handoff, ClockKind.ACCEPT).reassign_at == handed_on_at + HOUR
    enforce_deadlines(now=handed_on_at + HOUR)
    assert holder_of(handoff) == second


def test_nobody_gets_it_twice_and_in_the_end_it_is_in_the_pool(
    team: SalesTeam, first: User
) -> None:
    agree()
    manager = make_user(Role.MANAGER)
    handoff = make_handoff()
    make_rep(team)

    for day in range(1, 5):
        enforce_deadlines(now=NOW + timedelta(days=day))

    handoff.refresh_from_db()
    assert (handoff.holder, handoff.team) == (None, team)
    assert handoff.holders.count() == 3
    assert not handoff.clocks.filter(reassign_at__isnull=False).exists()
    assert any(title.startswith("Nobody could be given") for title in told(manager))


def test_it_goes_to_the_pool_where_that_is_agreed(team: SalesTeam, first: User) -> None:
    agree(times_out_to=TimesOutTo.POOL)
    manager, handoff = make_user(Role.MANAGER), make_handoff()
    second = make_rep(team)

    enforce_deadlines(now=ACCEPT_DUE + HOUR + TICK)

    handoff.refresh_from_db()
    assert (handoff.holder, handoff.team) == (None, team)
    assert told(second)[-1] == f"In the pool now: {handoff.lead.display_name}"
    assert not any("pool" in title for title in told(manager))


def test_without_such_a_policy_it_stays(team: SalesTeam, first: User) -> None:
    make_agreement()
    handoff = make_handoff()
    make_rep(team)

    enforce_deadlines(now=NOW + timedelta(days=30))

    assert holder_of(handoff) == first


def test_a_policy_signed_later_does_not_touch_what_was_handed_over_before(
    team: SalesTeam, first: User
) -> None:
    make_agreement()
    handoff = make_handoff()
    make_rep(team)
    agree()

    enforce_deadlines(now=NOW + timedelta(days=30))

    assert holder_of(handoff) == first


def test_who_touched_the_buyer_keeps_it_though_the_verdict_is_late(
    team: SalesTeam, first: User
) -> None:
    agree()
    handoff = make_handoff()
    make_rep(team)
    log_touch(
        handoff_id=handoff.pk,
        rep=first,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER,
        occurred_at=NOW,
        now=NOW,
    )

    enforce_deadlines(now=NOW + timedelta(days=30))

    handoff.refresh_from_db()
    assert (handoff.holder, handoff.state) == (first, HandoffState.WORKING)
    assert clock_of(handoff, ClockKind.VERDICT).breached_at is not None


def test_after_an_outage_each_person_hears_once(team: SalesTeam, first: User) -> None:
    agree()
    manager, handoff = make_user(Role.MANAGER), make_handoff()
    second = make_rep(team)

    for _ in range(3):
        enforce_deadlines(now=NOW + timedelta(hours=6))

    assert [len(told(each)) for each in (first, second, manager)] == [1, 1, 1]
    assert holder_of(handoff) == second


def test_after_an_outage_a_manager_hears_once_too_where_nobody_is_free(first: User) -> None:
    agree()
    manager, handoff = make_user(Role.MANAGER), make_handoff()

    enforce_deadlines(now=NOW + timedelta(hours=6))

    [line] = Notification.objects.filter(recipient=manager)
    assert line.title == f"Accept and Touch overdue: {handoff.lead.display_name}"
    assert line.body.endswith(f"With {first}, whose time is up.")
    assert told(first) == [f"No longer yours: {handoff.lead.display_name}"]


def test_who_is_given_it_by_hand_has_the_agreed_time_too(team: SalesTeam, first: User) -> None:
    agree()
    handoff = make_handoff()
    second = make_rep(team)
    reassign_handoff(
        handoff_id=handoff.pk,
        to=second,
        actor=make_user(Role.MANAGER),
        reason="Holiday",
        now=ACCEPT_DUE + HALF_HOUR,
    )

    assert clock_of(handoff, ClockKind.ACCEPT).reassign_at == ACCEPT_DUE + HALF_HOUR + HOUR


@pytest.mark.django_db(transaction=True)
def test_an_acceptance_and_a_time_out_at_once_leave_one_owner(team: SalesTeam, first: User) -> None:
    agree()
    handoff = make_handoff()
    second = make_rep(team)
    now = ACCEPT_DUE + HOUR + TICK

    side_by_side(
        lambda: accept_handoff(handoff_id=handoff.pk, rep=first, now=now),
        lambda: enforce_deadlines(now=now),
    )

    handoff = Handoff.objects.get(pk=handoff.pk)
    assert handoff.holders.filter(ended_at__isnull=True).count() == 1
    owner = first if handoff.accepted_at else second
    assert handoff.holder == owner
    assert handoff.lead.owner == owner


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_take_it_from_one_holder_only(team: SalesTeam, first: User) -> None:
    agree()
    handoff = make_handoff()
    make_rep(team)
    make_rep(team)
    now = ACCEPT_DUE + HOUR + TICK

    side_by_side(lambda: enforce_deadlines(now=now), lambda: enforce_deadlines(now=now))

    assert handoff.holders.count() == 2

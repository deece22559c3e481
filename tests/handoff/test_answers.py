"""Accept, reject, the pool, snooze, reassign: one owner at any time, clocks stopped by answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from crm.accounts.enums import Role
from crm.common.models import Notification
from handoff.enums import ClockKind, HandoffState, RejectionReason
from handoff.models import Handoff, SourceOwner
from handoff.policy import WAKE_AFTER_REJECTION, WAY_OUT
from handoff.services import (
    CannotHold,
    HandoffClosed,
    HandoffNotOffered,
    HandoffTaken,
    SnoozeInvalid,
    accept_handoff,
    reassign_handoff,
    reject_handoff,
    snooze_handoff,
    take_from_pool,
)
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import change_stage
from tests.concurrency import in_thread, side_by_side, wait_until_blocked
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import (
    become_mql,
    clock_of,
    holder_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(minutes=21)


def test_accepting_stops_the_accept_clock_and_makes_the_lead_accepted() -> None:
    handoff = make_handoff()

    accept_handoff(handoff_id=handoff.pk, rep=holder_of(handoff), now=SOON)

    handoff.refresh_from_db()
    assert (handoff.state, handoff.accepted_at) == (HandoffState.ACCEPTED, SOON)
    clock = clock_of(handoff, ClockKind.ACCEPT)
    assert (clock.stopped_at, clock.breached_at, clock.alarm, clock.alarm_at) == (
        SOON,
        None,
        "",
        None,
    )
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).stopped_at is None
    assert Lead.objects.get(pk=handoff.lead_id).stage == LifecycleStage.SAL


def test_accepting_twice_changes_nothing() -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    accept_handoff(handoff_id=handoff.pk, rep=rep, now=SOON)

    accept_handoff(handoff_id=handoff.pk, rep=rep, now=SOON + timedelta(hours=5))

    handoff.refresh_from_db()
    assert handoff.accepted_at == SOON


def test_an_acceptance_at_the_due_instant_is_in_time() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.ACCEPT).due_at

    accept_handoff(handoff_id=handoff.pk, rep=holder_of(handoff), now=due_at)

    assert clock_of(handoff, ClockKind.ACCEPT).breached_at is None


def test_a_late_acceptance_is_a_breach_even_if_no_sweep_ran() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.ACCEPT).due_at

    accept_handoff(
        handoff_id=handoff.pk, rep=holder_of(handoff), now=due_at + timedelta(microseconds=1)
    )

    assert clock_of(handoff, ClockKind.ACCEPT).breached_at == due_at


def test_nobody_accepts_what_is_in_other_hands() -> None:
    handoff = make_handoff()
    colleague = make_rep(holder_of(handoff).sales_team)  # type: ignore[arg-type]

    with pytest.raises(HandoffTaken):
        accept_handoff(handoff_id=handoff.pk, rep=colleague, now=SOON)

    handoff.refresh_from_db()
    assert handoff.state == HandoffState.OFFERED


def test_a_lead_that_was_accepted_by_hand_can_still_be_accepted() -> None:
    handoff = make_handoff()
    change_stage(lead_id=handoff.lead_id, to_stage=LifecycleStage.SAL, now=NOW)

    accept_handoff(handoff_id=handoff.pk, rep=holder_of(handoff), now=SOON)

    handoff.refresh_from_db()
    assert handoff.state == HandoffState.ACCEPTED


@pytest.mark.parametrize("reason", RejectionReason)
def test_a_refusal_is_an_answer_and_sends_the_lead_where_its_reason_says(
    reason: RejectionReason,
) -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)

    reject_handoff(handoff_id=handoff.pk, rep=rep, reason=reason, note="See mail", now=SOON)

    handoff.refresh_from_db()
    lead = Lead.objects.get(pk=handoff.lead_id)
    stage = WAY_OUT[reason]
    recycled = stage is LifecycleStage.RECYCLED
    assert (handoff.state, handoff.closed_at) == (HandoffState.REJECTED, SOON)
    assert (lead.stage, lead.owner) == (stage, None)
    assert lead.wake_at == (SOON + WAKE_AFTER_REJECTION if recycled else None)
    assert lead.stage_intervals.current().get().reason == f"{reason.label}: See mail"
    assert clock_of(handoff, ClockKind.ACCEPT).stopped_at == SOON
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).withdrawn_at == SOON
    assert handoff.holders.get().ended_at == SOON


def test_who_owns_the_source_hears_of_a_refusal_and_everybody_where_nobody_does() -> None:
    owner, other = make_user(Role.MARKETER), make_user(Role.MARKETER)
    SourceOwner.objects.create(source="fair", owner=owner)
    told = []
    for source in ("fair", "advert"):
        handoff = make_handoff(source=source)
        reject_handoff(
            handoff_id=handoff.pk, rep=holder_of(handoff), reason=RejectionReason.NOT_A_FIT,
            now=SOON, note="Buys for another company",
        )  # fmt: skip
        lines = Notification.objects.filter(key=f"handoff:{handoff.pk}:rejected")
        told.append({line.recipient for line in lines})
        assert "Buys for another company" in lines[0].body

    assert told == [{owner}, {owner, other}]


def test_what_was_accepted_is_not_rejected_any_more() -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    accept_handoff(handoff_id=handoff.pk, rep=rep, now=SOON)

    with pytest.raises(HandoffNotOffered):
        reject_handoff(handoff_id=handoff.pk, rep=rep, reason=RejectionReason.TOO_EARLY, now=SOON)


def test_a_closed_handoff_takes_no_answer() -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    reject_handoff(handoff_id=handoff.pk, rep=rep, reason=RejectionReason.TOO_EARLY, now=SOON)

    with pytest.raises(HandoffClosed):
        accept_handoff(handoff_id=handoff.pk, rep=rep, now=SOON)


def test_the_longest_waiting_handoff_of_the_own_pool_is_taken_first() -> None:
    team, other = make_team(), make_team()
    make_calendar()
    nobody = make_rep(team, is_active=False)
    second = make_handoff(rep=nobody, now=NOW)
    first = make_handoff(rep=nobody, now=NOW - timedelta(days=20))
    rep = make_rep(team)

    taken = [take_from_pool(rep=rep, now=SOON) for _ in range(3)]

    assert taken == [first, second, None]
    first.refresh_from_db()
    assert (first.holder, first.state) == (rep, HandoffState.ACCEPTED)
    assert [each.holder for each in first.holders.order_by("started_at")] == [None, rep]
    assert Lead.objects.get(pk=first.lead_id).owner == rep
    assert take_from_pool(rep=make_rep(other), now=SOON) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_from_the_pool_at_once_one_gets_it() -> None:
    team = make_team()
    handoff = make_handoff(rep=make_rep(team, is_active=False))
    reps = [make_rep(team), make_rep(team)]

    outcomes = side_by_side(
        *[lambda rep=rep: accept_handoff(handoff_id=handoff.pk, rep=rep, now=SOON) for rep in reps]
    )

    winners = [rep for rep, each in zip(reps, outcomes, strict=True) if isinstance(each, Handoff)]
    losers = [each for each in outcomes if isinstance(each, HandoffTaken)]
    assert (len(winners), len(losers)) == (1, 1)
    assert holder_of(handoff) == winners[0]
    assert handoff.holders.filter(ended_at__isnull=True).get().holder == winners[0]


@pytest.mark.django_db(transaction=True)
def test_a_lead_taken_out_while_its_rep_accepts_does_not_lock_them_both_up() -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    held, go_on = Event(), Event()

    def disqualify() -> None:
        with transaction.atomic():
            Lead.objects.select_for_update().get(pk=handoff.lead_id)
            held.set()
            assert go_on.wait(30)
            change_stage(lead_id=handoff.lead_id, to_stage=LifecycleStage.DISQUALIFIED, now=SOON)

    with ThreadPoolExecutor(2) as pool:
        moving = in_thread(pool, disqualify)
        assert held.wait(30)
        accepting = in_thread(
            pool, lambda: accept_handoff(handoff_id=handoff.pk, rep=rep, now=SOON)
        )
        wait_until_blocked(accepting)
        go_on.set()
        moving.result(30)
        with pytest.raises(HandoffClosed):
            accepting.result(30)


def test_a_snooze_stops_no_clock() -> None:
    handoff = make_handoff()
    until = NOW + timedelta(days=2)

    snooze_handoff(
        handoff_id=handoff.pk,
        rep=holder_of(handoff),
        until=until,
        reason="On holiday till Thursday",
        now=SOON,
    )

    handoff.refresh_from_db()
    assert (handoff.snoozed_until, handoff.snooze_reason) == (until, "On holiday till Thursday")
    assert handoff.clocks.running().count() == 3


@pytest.mark.parametrize(
    ("until", "reason", "field"),
    [
        (NOW, "Later", "until"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=ZoneInfo("America/New_York")), "Later", "until"),
        (SOON + timedelta(days=1), " ", "reason"),
    ],
)
def test_a_snooze_needs_a_later_time_and_a_reason(until: object, reason: str, field: str) -> None:
    handoff = make_handoff()

    with pytest.raises(SnoozeInvalid) as refused:
        snooze_handoff(
            handoff_id=handoff.pk,
            rep=holder_of(handoff),
            until=until,  # type: ignore[arg-type]
            reason=reason,
            now=SOON,
        )

    assert refused.value.field == field


def test_reassigning_moves_the_owner_and_leaves_the_clocks() -> None:
    handoff = make_handoff()
    former = holder_of(handoff)
    manager = make_user(Role.MANAGER, full_name="Hanne Korvald")
    to = make_rep(make_team())
    before = list(handoff.clocks.order_by("id").values_list("due_at", "stopped_at"))

    reassign_handoff(handoff_id=handoff.pk, to=to, actor=manager, reason="Tomas is ill", now=SOON)

    assert holder_of(handoff) == to
    assert handoff.team == to.sales_team
    assert Lead.objects.get(pk=handoff.lead_id).owner == to
    spans = handoff.holders.order_by("started_at").values_list("holder", "started_at", "ended_at")
    assert list(spans) == [(former.pk, NOW, SOON), (to.pk, SOON, None)]
    assert list(handoff.clocks.order_by("id").values_list("due_at", "stopped_at")) == before
    decision = handoff.decisions.latest("decided_at")
    assert (decision.rule, decision.candidates[0]["reason"]) == (
        "Reassigned by Hanne Korvald",
        "Tomas is ill",
    )
    told = Notification.objects.filter(key__contains="reassigned")
    assert {line.recipient for line in told} == {to, former}


def test_everybody_hears_of_each_of_two_moves_within_a_second() -> None:
    team = make_team()
    first, second = make_rep(team), make_rep(team)
    handoff = make_handoff(rep=first)
    manager = make_user(Role.MANAGER)
    former = holder_of(handoff)
    other = second if former == first else first

    for to in (other, former, other):
        reassign_handoff(handoff_id=handoff.pk, to=to, actor=manager, reason="", now=SOON)

    told = Notification.objects.filter(recipient=other, title__startswith="Handed to you")
    assert told.count() == 2


def test_a_clock_that_fell_due_before_stays_with_whoever_let_it() -> None:
    handoff = make_handoff()
    former = holder_of(handoff)
    manager, to = make_user(Role.MANAGER), make_rep(make_team())
    late = clock_of(handoff, ClockKind.ACCEPT).due_at + timedelta(minutes=1)

    reassign_handoff(handoff_id=handoff.pk, to=to, actor=manager, reason="", now=late)

    assert clock_of(handoff, ClockKind.ACCEPT).answerable == former
    assert clock_of(handoff, ClockKind.VERDICT).answerable == to


@pytest.mark.parametrize("fields", [{"is_active": False}, {"roles": [Role.MARKETER]}])
def test_handoffs_are_not_given_to_people_who_cannot_work_them(fields: dict[str, object]) -> None:
    handoff = make_handoff()
    former = holder_of(handoff)
    to = make_rep(make_team(), **fields)

    with pytest.raises(CannotHold):
        reassign_handoff(
            handoff_id=handoff.pk, to=to, actor=make_user(Role.MANAGER), reason="", now=SOON
        )

    assert holder_of(handoff) == former


def test_a_marketer_may_look_but_not_act() -> None:
    handoff = make_handoff()
    marketer = make_user(Role.MARKETER)

    assert Handoff.objects.visible_to(marketer).get() == handoff
    assert not Handoff.objects.workable_by(marketer).exists()
    with pytest.raises(HandoffTaken):
        snooze_handoff(
            handoff_id=handoff.pk, rep=marketer, until=SOON + timedelta(1), reason="-", now=SOON
        )


def test_reps_see_their_own_and_their_pool_only() -> None:
    make_agreement()
    team = make_team()
    rep = make_rep(team)
    mine = make_handoff(rep=rep)
    rep.is_active = False
    rep.save(update_fields=["is_active"])
    pooled = become_mql(make_lead())
    stranger = make_rep(make_team())

    assert set(Handoff.objects.visible_to(rep)) == {mine, pooled}
    assert set(Handoff.objects.visible_to(stranger)) == set()
    assert set(Handoff.objects.visible_to(make_user(Role.MANAGER))) == {mine, pooled}

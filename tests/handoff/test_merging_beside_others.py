"""Merging and parting while sales and sweeps are at the handoffs of the same leads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any, TypeVar

import pytest
from django.db import transaction

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from handoff.enums import ClockKind, HandoffState
from handoff.models import Handoff
from handoff.services import HandoffClosed, accept_handoff, enforce_deadlines, reassign_handoff
from leads.enums import LifecycleStage
from leads.lifecycle import IllegalTransition
from leads.models import Lead, LeadMerge
from leads.services import change_stage, merge_leads, undo_merge
from leads.signals import standing_changed
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_team, make_user
from tests.handoff.factories import clock_of, make_agreement, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SOON = NOW + 10 * MINUTE
#: Two hours to accept, from 11:00 in Berlin.
ACCEPT_BY = NOW + 2 * HOUR


@pytest.fixture
def mira() -> User:
    make_calendar()
    make_agreement(reassign_after=HOUR)
    return make_user(Role.MARKETER, full_name="Mira")


@pytest.fixture
def team(mira: User) -> SalesTeam:
    return make_team(name="DACH")


@pytest.fixture
def rep(team: SalesTeam) -> User:
    return make_rep(team)


@pytest.fixture
def gone(rep: User) -> Handoff:
    """The handoff of the lead that is merged, which comes first wherever leads are held."""
    return make_handoff(rep=rep)


@pytest.fixture
def kept(rep: User, gone: Handoff) -> Handoff:
    return make_handoff(rep=rep)


def merged(kept: Handoff, gone: Handoff, by: User) -> LeadMerge:
    return merge_leads(survivor_id=kept.lead_id, merged_id=gone.lead_id, actor=by, now=SOON)


def while_leads_are_held(
    first: Callable[[], T], second: Callable[[], object]
) -> tuple[T, Future[object]]:
    """Let ``first``, a merge or its undoing, pause when it holds its leads, until ``second`` waits.

    Return what the first returned and the second, which is over.
    """
    are_held, go_on = Event(), Event()

    def pause(**_: Any) -> None:
        if not are_held.is_set():
            are_held.set()
            assert go_on.wait(30)

    standing_changed.connect(pause, sender=Lead)
    try:
        with ThreadPoolExecutor(2) as pool:
            merging = in_thread(pool, first)
            assert are_held.wait(30)
            other = in_thread(pool, second)
            wait_until_blocked(other)
            go_on.set()
            found = merging.result(30)
    finally:
        go_on.set()
        standing_changed.disconnect(pause, sender=Lead)
    return found, other


def test_a_rep_accepts_what_a_merge_is_about_to_withdraw(
    mira: User, rep: User, kept: Handoff, gone: Handoff
) -> None:
    """Red when an answer holds the handoff before its lead: each waits for the other."""
    accept = partial(accept_handoff, handoff_id=gone.pk, rep=rep, now=SOON + MINUTE)

    _, accepting = while_leads_are_held(lambda: merged(kept, gone, mira), accept)

    with pytest.raises(HandoffClosed):
        accepting.result()
    gone.refresh_from_db()
    assert (gone.state, gone.accepted_at) == (HandoffState.WITHDRAWN, None)


def test_a_rep_accepts_what_goes_on_after_the_merge(
    mira: User, rep: User, kept: Handoff, gone: Handoff
) -> None:
    accept = partial(accept_handoff, handoff_id=kept.pk, rep=rep, now=SOON + MINUTE)

    _, accepting = while_leads_are_held(lambda: merged(kept, gone, mira), accept)

    accepting.result()
    states = dict(Handoff.objects.values_list("pk", "state"))
    assert states == {kept.pk: HandoffState.ACCEPTED, gone.pk: HandoffState.WITHDRAWN}
    assert Lead.objects.get(pk=kept.lead_id).stage == LifecycleStage.SAL
    assert Lead.objects.get(pk=gone.lead_id).stage == LifecycleStage.MQL


def test_a_handoff_moves_to_another_rep_while_its_lead_is_merged(
    mira: User, team: SalesTeam, kept: Handoff, gone: Handoff
) -> None:
    """Red when a move holds the handoff before its lead: each waits for the other."""
    move = partial(
        reassign_handoff, handoff_id=gone.pk, to=make_rep(team), actor=make_user(Role.MANAGER),
        reason="Holiday", now=SOON + MINUTE,
    )  # fmt: skip

    _, moving = while_leads_are_held(lambda: merged(kept, gone, mira), move)

    with pytest.raises(HandoffClosed):
        moving.result()
    assert gone.holders.count() == 1


def test_a_lead_does_not_move_while_it_is_merged(mira: User, kept: Handoff, gone: Handoff) -> None:
    """Red when the lead is read before it is held: what was merged is taken by sales."""
    qualify = partial(
        change_stage, lead_id=gone.lead_id, to_stage=LifecycleStage.SAL, now=SOON + MINUTE
    )

    _, moving = while_leads_are_held(lambda: merged(kept, gone, mira), qualify)

    with pytest.raises(IllegalTransition, match="It was merged into"):
        moving.result()
    assert Lead.objects.get(pk=gone.lead_id).stage == LifecycleStage.MQL


def test_a_sweep_goes_past_what_a_merge_holds(mira: User, kept: Handoff, gone: Handoff) -> None:
    """Red when the sweep waits for the handoff: all deadlines wait for one merge."""
    late = ACCEPT_BY + MINUTE
    sweep = partial(enforce_deadlines, now=late)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        merged(kept, gone, mira)
        sweeping = in_thread(pool, sweep)
        wait_until_blocked(sweeping)
        assert sweeping.done()
    sweep()

    assert clock_of(kept, ClockKind.ACCEPT).breached_at == ACCEPT_BY
    assert clock_of(gone, ClockKind.ACCEPT).breached_at is None


def test_a_time_out_and_a_parting_that_hands_over_anew(
    mira: User, team: SalesTeam, kept: Handoff, gone: Handoff
) -> None:
    """Red when parting holds the leads before routing: each waits for the other."""
    made, second = merged(kept, gone, mira), make_rep(team)
    late = ACCEPT_BY + HOUR + MINUTE
    part = partial(undo_merge, merge_id=made.pk, actor=mira, now=late)

    _, sweeping = while_leads_are_held(part, partial(enforce_deadlines, now=late))

    assert sweeping.result()
    assert Handoff.objects.open().get(lead=gone.lead_id) != gone
    kept.refresh_from_db()
    assert kept.holder == second

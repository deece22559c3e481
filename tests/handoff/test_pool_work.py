"""Working from the pool: whoever acts on what nobody holds is answerable for it from then on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import ClockKind, HandoffState, TouchChannel, TouchOutcome
from handoff.models import Handoff, RepProfile
from handoff.queue import load_queue
from handoff.services import (
    CannotHold,
    accept_handoff,
    log_touch,
    snooze_handoff,
    submit_bant,
)
from leads.enums import LifecycleStage
from leads.models import Lead
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import clock_of, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
SQL: dict[str, Any] = {
    **dict.fromkeys(("budget", "authority", "need", "timeline"), "YES"),
    "verdict": "SQL",
    "next_step": "Demo",
    "next_step_at": NOW + timedelta(days=7),
}


@pytest.fixture
def rep() -> User:
    make_calendar()
    rep = make_rep(make_team())
    RepProfile.objects.create(user=rep, capacity=0)
    return rep


@pytest.fixture
def pooled(rep: User) -> Handoff:
    handoff = make_handoff()
    assert (handoff.holder, handoff.team) == (None, rep.sales_team)
    return handoff


def _accept(handoff: Handoff, by: User) -> None:
    accept_handoff(handoff_id=handoff.pk, rep=by, now=LATER)


def _call(handoff: Handoff, by: User) -> None:
    log_touch(
        handoff_id=handoff.pk,
        rep=by,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.CONNECTED,
        occurred_at=LATER,
        now=LATER,
    )


def _snooze(handoff: Handoff, by: User) -> None:
    until = NOW + timedelta(days=1)
    snooze_handoff(handoff_id=handoff.pk, rep=by, until=until, reason="Away", now=LATER)


def _qualify(handoff: Handoff, by: User) -> None:
    submit_bant(handoff_id=handoff.pk, rep=by, fields=SQL, now=LATER)


@pytest.mark.parametrize("act", [_accept, _call, _snooze])
def test_whoever_acts_from_the_pool_holds_it(
    act: Callable[[Handoff, User], None], pooled: Handoff, rep: User
) -> None:
    act(pooled, rep)

    assert [row.handoff for row in load_queue(rep, now=LATER).rows] == [pooled]
    assert not Handoff.objects.in_pool_of(rep).exists()
    assert [each.holder for each in pooled.holders.order_by("started_at")] == [None, rep]
    assert clock_of(pooled, ClockKind.VERDICT).answerable == rep
    assert Lead.objects.get(pk=pooled.lead_id).owner == rep


def test_a_verdict_from_the_pool_gives_the_lead_an_owner(pooled: Handoff, rep: User) -> None:
    _qualify(pooled, rep)

    lead = Lead.objects.get(pk=pooled.lead_id)
    assert (lead.stage, lead.owner) == (LifecycleStage.SQL, rep)
    assert clock_of(pooled, ClockKind.VERDICT).answerable == rep
    assert Handoff.objects.visible_to(rep).get().state == HandoffState.QUALIFIED


@pytest.mark.parametrize("act", [_accept, _call, _snooze, _qualify])
def test_a_manager_who_is_no_rep_takes_nothing_out_of_the_pool(
    act: Callable[[Handoff, User], None], pooled: Handoff
) -> None:
    with pytest.raises(CannotHold):
        act(pooled, make_user(Role.MANAGER))

    pooled.refresh_from_db()
    assert (pooled.state, pooled.holder, pooled.attempts) == (HandoffState.OFFERED, None, 0)


def test_a_manager_may_log_a_call_for_whoever_holds_it(pooled: Handoff, rep: User) -> None:
    _accept(pooled, rep)

    _call(pooled, make_user(Role.MANAGER))

    pooled.refresh_from_db()
    assert (pooled.state, pooled.holder) == (HandoffState.WORKING, rep)


def test_the_page_says_why_a_manager_cannot_accept_from_the_pool(pooled: Handoff) -> None:
    web = client_of(make_user(Role.MANAGER, full_name="Hanna Voss"))

    page = web.post(f"/handoffs/{pooled.pk}/accept/", follow=True).content.decode()

    assert "Hanna Voss is not an active sales rep" in page


def test_the_team_goes_on_seeing_what_was_put_back_into_the_pool(
    pooled: Handoff, rep: User
) -> None:
    Handoff.objects.filter(pk=pooled.pk).update(state=HandoffState.WORKING)

    assert list(Handoff.objects.visible_to(rep)) == [pooled]

"""What becomes of the handoffs of somebody who sells no more: others get them, at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.http import QueryDict

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.accounts.services import deactivate_user, update_person
from crm.common.models import Notification
from handoff.enums import RejectionReason
from handoff.models import Handoff, HolderInterval
from handoff.services import reject_handoff
from leads.edits import edit_entries
from leads.list_address import read_address
from leads.models import Lead
from leads.signals import stage_changed
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import (
    become_mql,
    holder_of,
    make_handoff,
    make_rep,
)

SOON = NOW + timedelta(minutes=10)


def leave(person: User) -> None:
    """End the access of ``person``."""
    deactivate_user(user_id=person.pk, actor=make_user(Role.ADMIN), now=SOON)


@pytest.fixture
def team() -> SalesTeam:
    return make_team(name="DACH")


@pytest.mark.django_db
def test_the_handoffs_of_a_rep_who_left_go_to_the_next_in_turn(team: SalesTeam) -> None:
    leaver = make_rep(team, full_name="Jonas Reiter")
    handoff = make_handoff(rep=leaver)
    closed = make_handoff(rep=leaver)
    reject_handoff(handoff_id=closed.pk, rep=leaver, reason=RejectionReason.TOO_EARLY, now=NOW)
    stayer = make_rep(team)
    before = list(handoff.clocks.order_by("id").values_list("due_at", "stopped_at"))

    leave(leaver)

    assert (holder_of(handoff), holder_of(closed)) == (stayer, leaver)
    assert Lead.objects.get(pk=handoff.lead_id).owner == stayer
    assert list(handoff.clocks.order_by("id").values_list("due_at", "stopped_at")) == before
    spans = handoff.holders.order_by("started_at").values_list("holder", "started_at", "ended_at")
    assert list(spans) == [(leaver.pk, NOW, SOON), (stayer.pk, SOON, None)]
    decision = handoff.decisions.latest("decided_at")
    assert {line["name"]: line["reason"] for line in decision.candidates} == {
        stayer.full_name: "Next in turn",
        "Jonas Reiter": "No longer active",
    }
    told = Notification.objects.get(key__contains="reassigned")
    assert (told.recipient, told.body) == (
        stayer,
        "Jonas Reiter sells no more. No rule fits: DACH, the first team.",
    )


@pytest.mark.django_db
def test_where_nobody_is_free_the_pool_has_them_and_the_managers_know(team: SalesTeam) -> None:
    leaver, manager = make_rep(team), make_user(Role.MANAGER)
    handoff = make_handoff(rep=leaver)

    leave(leaver)

    handoff.refresh_from_db()
    assert (handoff.holder, handoff.team) == (None, team)
    assert HolderInterval.objects.get(handoff=handoff, ended_at=None).holder is None
    told = Notification.objects.get(key__contains="reassigned")
    assert (told.recipient, told.title.split(":")[0]) == (manager, "Nobody could be given")


@pytest.mark.django_db
def test_who_is_no_rep_any_more_keeps_no_handoffs(team: SalesTeam) -> None:
    leaver = make_rep(team)
    handoff = make_handoff(rep=leaver)
    stayer = make_rep(team)

    update_person(
        user_id=leaver.pk, full_name="Now in marketing", roles=[Role.MARKETER], sales_team=team,
        now=SOON,
    )  # fmt: skip

    assert holder_of(handoff) == stayer


@pytest.mark.django_db
def test_leads_without_a_handoff_are_left_to_the_team(team: SalesTeam) -> None:
    leaver, colleague = make_rep(team, full_name="Jonas Reiter"), make_rep(team)
    manager, theirs = make_user(Role.MANAGER), make_lead(owner=colleague, team=team)
    free, in_work = make_lead(owner=leaver, team=team), make_handoff(rep=leaver).lead

    leave(leaver)

    held = dict(Lead.objects.values_list("pk", "owner"))
    assert held == {free.pk: None, in_work.pk: colleague.pk, theirs.pk: colleague.pk}
    assert free in Lead.objects.visible_to(colleague)
    [entry] = edit_entries(free.pk, manager, None, 10)
    assert (entry.title, entry.detail) == ("Owner Jonas Reiter removed", "Its owner sells no more")
    assert edit_entries(in_work.pk, manager, None, 10) == []
    told = Notification.objects.get(key__contains="released")
    assert (told.recipient, told.title) == (manager, "1 lead of Jonas Reiter without an owner now")
    listed = read_address(QueryDict(urlsplit(told.url).query), user=manager)
    assert list(listed.leads(viewer=manager, now=SOON)) == [free]


@pytest.mark.django_db(transaction=True)
def test_a_handoff_that_is_opened_while_its_rep_leaves_goes_to_somebody_else(
    team: SalesTeam,
) -> None:
    leaver, lead = make_rep(team), make_lead()
    opened, may_commit = Event(), Event()

    def hold_open(**_: Any) -> None:
        opened.set()
        assert may_commit.wait(20)

    stage_changed.connect(hold_open)
    try:
        with ThreadPoolExecutor(2) as pool:
            opening = in_thread(pool, lambda: become_mql(lead))
            assert opened.wait(20)
            make_rep(team)
            leaving = in_thread(pool, lambda: leave(leaver))
            wait_until_blocked(leaving)
            may_commit.set()
            opening.result()
            leaving.result()
    finally:
        stage_changed.disconnect(hold_open)

    assert holder_of(Handoff.objects.get()) != leaver


@pytest.mark.django_db(transaction=True)
def test_a_rep_who_is_leaving_is_given_nothing(team: SalesTeam) -> None:
    leaver, lead = make_rep(team), make_lead()
    stayer = make_rep(team)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            leave(leaver)
            opening = in_thread(pool, lambda: become_mql(lead))
            wait_until_blocked(opening)
        opening.result()

    assert holder_of(Handoff.objects.get()) == stayer

"""The pages on which breaches are explained, excused and late evidence is approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import Approval, ClockKind, TouchChannel, TouchOutcome
from handoff.models import Clock, Excuse, Handoff, Touch
from handoff.services import log_touch, reassign_handoff
from handoff.views.approvals import MOST_SHOWN
from tests.factories import client_of, make_team, make_user
from tests.handoff.factories import clock_of, holder_of, make_calendar, make_handoff, make_rep
from tests.handoff.test_pages import ALWAYS

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def handoff(db: None) -> Handoff:
    """A handoff that was accepted by nobody for five hours; two were allowed."""
    make_calendar(definition=ALWAYS)
    make_rep(make_team(name="DACH"), full_name="Jonas Reiter")
    return make_handoff(now=timezone.now() - 5 * HOUR)


@pytest.fixture
def rep(handoff: Handoff) -> User:
    return holder_of(handoff)


@pytest.fixture
def manager(db: None) -> Client:
    return client_of(make_user(Role.MANAGER, full_name="Hanna Korvik"))


def page_of(web: Client, name: str, *parts: int) -> str:
    return web.get(reverse(name, args=parts)).content.decode()


def ask(web: Client, clock: Clock, **changes: str) -> int:
    """Ask for a stretch of the clock's first hour and return the status."""
    local = timezone.localtime(clock.started_at)
    given = {
        "reason": "OUTAGE",
        "started_at": f"{local:%Y-%m-%dT%H:%M}",
        "ended_at": f"{local + HOUR:%Y-%m-%dT%H:%M}",
        "note": "Trunk line down",
    }
    return web.post(reverse("handoff:excuse", args=[clock.pk]), given | changes).status_code


def test_a_breach_goes_from_the_missed_page_to_the_managers_and_back(
    handoff: Handoff, rep: User, manager: Client
) -> None:
    web, clock = client_of(rep), clock_of(handoff, ClockKind.ACCEPT)
    address = reverse("handoff:excuse", args=[clock.pk])
    assert address in page_of(web, "handoff:missed")
    assert address in page_of(web, "handoff:handoff", handoff.pk)

    assert ask(web, clock) == 302

    excuse = Excuse.objects.get()
    assert excuse.started_at == clock.started_at
    assert "Trunk line down" in page_of(manager, "handoff:to_approve")
    manager.post(reverse("handoff:decide_excuse", args=[excuse.pk]), {"grant": "yes"})
    assert clock_of(handoff, ClockKind.ACCEPT).excused_at is not None
    assert "Granted" in page_of(web, "handoff:missed")
    shown = page_of(web, "handoff:handoff", handoff.pk)
    assert "Excused" in shown
    assert address not in shown


def test_who_lost_the_handoff_can_still_be_excused(handoff: Handoff, rep: User) -> None:
    reassign_handoff(
        handoff_id=handoff.pk,
        to=make_rep(make_team()),
        actor=make_user(Role.MANAGER),
        reason="Holiday",
        now=timezone.now(),
    )

    assert ask(client_of(rep), clock_of(handoff, ClockKind.ACCEPT)) == 302


def test_what_cannot_be_excused_so_says_why_beside_the_form(handoff: Handoff, rep: User) -> None:
    web, clock = client_of(rep), clock_of(handoff, ClockKind.ACCEPT)

    assert ask(web, clock, ended_at="2020-01-01T10:00") == 422
    assert not Excuse.objects.exists()
    running = clock_of(handoff, ClockKind.VERDICT)
    assert web.get(reverse("handoff:excuse", args=[running.pk])).status_code == 404


def test_a_manager_lets_late_evidence_count(handoff: Handoff, rep: User, manager: Client) -> None:
    now = timezone.now()
    touch = log_touch(
        handoff_id=handoff.pk,
        rep=rep,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER,
        occurred_at=now - 4 * HOUR,
        now=now,
    )
    assert "waits for a manager" in page_of(manager, "handoff:handoff", handoff.pk)

    manager.post(reverse("handoff:decide_touch", args=[touch.pk]), {"grant": "yes"})

    touch.refresh_from_db()
    assert touch.approval == Approval.GRANTED
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).stopped_at == now - 4 * HOUR
    assert "Nothing waits for you" in page_of(manager, "handoff:to_approve")


@pytest.mark.parametrize(
    ("ago", "verdict"),
    [(4 * HOUR, ": in time."), (HOUR / 2, ": late all the same."), (HOUR / 3, "no deadline.")],
)
def test_a_manager_reads_what_late_evidence_changes(
    handoff: Handoff, rep: User, manager: Client, ago: timedelta, verdict: str
) -> None:
    now = timezone.now()
    call: dict[str, Any] = {"channel": TouchChannel.CALL, "outcome": TouchOutcome.NO_ANSWER}
    if verdict == "no deadline.":
        seen = now - HOUR / 2
        log_touch(handoff_id=handoff.pk, rep=rep, occurred_at=seen, now=seen, **call)

    log_touch(handoff_id=handoff.pk, rep=rep, occurred_at=now - ago, now=now, **call)

    assert verdict in page_of(manager, "handoff:to_approve")


def test_the_page_takes_as_many_queries_for_one_as_for_many(
    handoff: Handoff, manager: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def asked_and_late(one: Handoff) -> None:
        ask(client_of(holder_of(one)), clock_of(one, ClockKind.ACCEPT))
        now = timezone.now()
        log_touch(
            handoff_id=one.pk, rep=holder_of(one), channel=TouchChannel.CALL,
            outcome=TouchOutcome.NO_ANSWER, occurred_at=now - HOUR, now=now,
        )  # fmt: skip

    asked_and_late(handoff)
    with django_assert_num_queries(12):
        page_of(manager, "handoff:to_approve")
    for _ in range(3):
        asked_and_late(make_handoff(now=timezone.now() - 5 * HOUR))

    with django_assert_num_queries(12):
        page_of(manager, "handoff:to_approve")


def test_an_answer_that_is_neither_yes_nor_no_decides_nothing(
    handoff: Handoff, rep: User, manager: Client
) -> None:
    ask(client_of(rep), clock_of(handoff, ClockKind.ACCEPT))
    excuse = Excuse.objects.get()

    manager.post(reverse("handoff:decide_excuse", args=[excuse.pk]), {"grant": "perhaps"})

    excuse.refresh_from_db()
    assert excuse.approval == Approval.PENDING


def test_the_page_of_a_handoff_accounts_for_all_time_since_the_hand_raise(
    handoff: Handoff, rep: User
) -> None:
    shown = page_of(client_of(rep), "handoff:handoff", handoff.pk)

    assert "Where the time went" in shown
    assert "split-clock" in shown
    assert "Jonas Reiter 5 h" in shown
    assert "2 h of working time from" in shown


def test_the_page_shows_those_that_wait_the_longest(handoff: Handoff, manager: Client) -> None:
    at = timezone.now()
    touch = log_touch(
        handoff_id=handoff.pk, rep=holder_of(handoff), channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER, occurred_at=at - HOUR, now=at,
    )  # fmt: skip
    Touch.objects.bulk_create([Touch(**_of(touch)) for _ in range(MOST_SHOWN)])

    page = page_of(manager, "handoff:to_approve")

    assert page.count("Let it count") == MOST_SHOWN
    assert f"The {MOST_SHOWN} that wait the longest" in page


def _of(touch: Touch) -> dict[str, Any]:
    names = (each.attname for each in Touch._meta.fields if not each.primary_key)
    return {name: getattr(touch, name) for name in names}

"""The team board: who holds what, and moving it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam
from handoff.board import load_board
from handoff.models import RepProfile
from tests.factories import NOW, client_of, make_team, make_user
from tests.handoff.factories import holder_of, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def team(db: None) -> SalesTeam:
    make_calendar()
    return make_team(name="DACH")


def test_a_board_has_the_pool_and_one_column_a_rep_most_urgent_first(team: SalesTeam) -> None:
    jonas = make_rep(team, full_name="Jonas Reiter")
    later, sooner = make_handoff(now=NOW + HOUR), make_handoff(now=NOW)
    make_rep(team, full_name="Ada Lund")
    RepProfile.objects.update(capacity=2)

    pool, idle, busy = load_board(team, now=NOW + HOUR)

    assert (pool.rep, pool.open, idle.open, idle.capacity) == (None, 0, 0, None)
    assert (busy.rep, busy.open, busy.is_full, busy.more) == (jonas, 2, True, 0)
    assert [card.handoff for card in busy.cards] == [sooner, later]


def test_what_is_at_risk_or_late_is_counted_once_a_handoff(team: SalesTeam) -> None:
    make_rep(team)
    make_handoff()
    make_handoff(now=NOW + 4 * HOUR)

    *_, busy = load_board(team, now=NOW + 5 * HOUR)

    assert (busy.open, busy.at_risk) == (2, 1)


def test_what_nobody_holds_is_in_the_pool(team: SalesTeam) -> None:
    rep = make_rep(team, full_name="Jonas Reiter")
    rep.is_active = False
    rep.save()
    handoff = make_handoff(rep=rep)

    [pool] = load_board(team, now=NOW)

    assert [card.handoff for card in pool.cards] == [handoff]


def test_a_board_takes_as_many_queries_for_one_as_for_many(
    team: SalesTeam, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        make_rep(team)
        make_handoff()

    with django_assert_max_num_queries(6):  # which, cards, calendars, loads, reps, profiles
        load_board(team, now=NOW)


def test_a_manager_moves_a_card_to_a_colleague(team: SalesTeam) -> None:
    first = make_rep(team, full_name="Jonas Reiter")
    handoff = make_handoff(now=timezone.now())
    second = make_rep(team, full_name="Ada Lund")
    web = client_of(make_user(Role.MANAGER, sales_team=team))
    board = reverse("handoff:board")
    page = web.get(board).content.decode()
    assert f'data-rep="{first.pk}"' in page
    assert "Give to…" in page

    moved = {"to": second.pk, "reason": "Moved on the team board", "back": board}
    answer = web.post(reverse("handoff:reassign", args=[handoff.pk]), moved)

    assert (answer.status_code, answer.headers["Location"]) == (302, board)
    assert holder_of(handoff) == second

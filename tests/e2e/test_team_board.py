"""The team board in a browser: work goes to a colleague by drag, and by keys alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Locator, expect

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.models import Handoff
from tests.e2e.desks import Desk
from tests.factories import PASSWORD, make_team, make_user
from tests.handoff.factories import holder_of, make_calendar, make_handoff, make_rep
from tests.handoff.test_pages import ALWAYS

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.fixture
def desk(browser: Browser, live_server: Any) -> Any:
    make_calendar(definition=ALWAYS)
    team = make_team(name="DACH")
    jonas = make_rep(team, full_name="Jonas Reiter")
    for name in ("Ines", "Bastien"):
        opened_at = timezone.now() - timedelta(minutes=30)
        make_handoff(rep=jonas, now=opened_at, first_name=name, last_name="Falk")
    make_rep(team, full_name="Ada Marsh")
    hanna = make_user(Role.MANAGER, full_name="Hanna Korvald", password=PASSWORD, sales_team=team)
    at_board = Desk(browser, live_server.url, hanna)
    at_board.page.goto(reverse("handoff:board"))
    yield at_board
    at_board.leave()


def column(desk: Desk, name: str) -> Locator:
    return desk.page.get_by_role("region", name=name)


def test_a_card_is_dragged_to_a_colleague(desk: Desk) -> None:
    card = desk.page.locator(".board-card", has_text="Ines Falk")

    card.drag_to(column(desk, "Ada Marsh"))

    expect(column(desk, "Ada Marsh")).to_contain_text("Ines Falk")
    expect(column(desk, "Jonas Reiter")).not_to_contain_text("Ines Falk")
    expect(column(desk, "Jonas Reiter")).to_contain_text("1 of 40 open")
    ines = Handoff.objects.get(lead__first_name="Ines")
    assert holder_of(ines) == User.objects.get(full_name="Ada Marsh")


def test_a_card_that_is_let_go_anywhere_else_stays(desk: Desk) -> None:
    card = desk.page.locator(".board-card", has_text="Ines Falk")

    card.drag_to(column(desk, "Pool"))
    card.drag_to(column(desk, "Jonas Reiter").locator(".board-head"))

    expect(column(desk, "Jonas Reiter")).to_contain_text("2 of 40 open")


def test_keys_alone_give_a_card_to_a_colleague(desk: Desk) -> None:
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("j")
    expect(desk.page.locator("[data-row].is-current")).to_contain_text("Bastien Falk")
    desk.page.keyboard.press("a")
    expect(desk.page.get_by_label("Give Bastien Falk to")).to_be_focused()
    desk.page.keyboard.type("Ada")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")

    expect(column(desk, "Ada Marsh")).to_contain_text("Bastien Falk")
    bastien = Handoff.objects.get(lead__first_name="Bastien")
    assert holder_of(bastien) == User.objects.get(full_name="Ada Marsh")

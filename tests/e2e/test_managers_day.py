"""A manager's daily way: what needs a decision, decided, once with the keyboard, once by mouse."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, expect

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import ClockKind, ExcuseReason
from handoff.models import Excuse, Handoff
from handoff.services import ask_excuse
from handoff.services.holders import hand_to
from tests.e2e.desks import Desk
from tests.factories import PASSWORD, make_team, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    clock_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)
from tests.handoff.test_pages import ALWAYS

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture
def reps() -> tuple[User, User]:
    """Make a team of two: the first has a late handoff and asks to be excused for it."""
    now = timezone.now()
    make_calendar(definition=ALWAYS)
    make_agreement(ANY_LEAD)
    team = make_team(name="DACH")
    jonas, ada = make_rep(team, full_name="Jonas Reiter"), make_rep(team, full_name="Ada Lund")
    for name, minutes in (("Bastien", 140), ("Sofie", 110)):
        handoff = make_handoff(now=now - timedelta(minutes=minutes), first_name=name, last_name="A")
        hand_to(handoff, jonas, now=handoff.opened_at)
        handoff.save(update_fields=["holder", "team"])
    missed = clock_of(Handoff.objects.earliest("opened_at"), ClockKind.ACCEPT)
    ask_excuse(
        clock_id=missed.pk,
        asker=jonas,
        reason=ExcuseReason.OUTAGE,
        started_at=missed.started_at,
        ended_at=missed.due_at,
        now=now,
    )
    return jonas, ada


@pytest.fixture
def desk(browser: Browser, base_url: str, reps: tuple[User, User]) -> Desk:
    manager = make_user(Role.MANAGER, email="hanne@example.com", password=PASSWORD)
    return Desk(browser, base_url, manager)


def test_by_keys_the_first_late_one_is_given_to_somebody_else(
    desk: Desk, reps: tuple[User, User]
) -> None:
    page = desk.page
    expect(page.get_by_role("heading", name="Today")).to_be_visible()

    page.keyboard.press("j")
    expect(page.locator(".row-name").first).to_be_focused()
    page.keyboard.press("a")
    page.wait_for_url(re.compile("/reassign/"))
    page.locator("select[name=to]").focus()
    page.keyboard.type("Ada")
    page.locator("[name=reason]").focus()
    page.keyboard.type("Jonas is away")
    page.keyboard.press("Control+Enter")

    page.wait_for_url(lambda url: urlsplit(url).path == reverse("reports:today"))
    assert Handoff.objects.earliest("opened_at").holder == reps[1]
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(page.get_by_role("heading", name="Team queue")).to_be_visible()
    desk.leave()


def test_by_mouse_a_figure_opens_its_rows_and_an_excuse_is_granted(desk: Desk) -> None:
    page = desk.page

    page.locator(".kpi").first.get_by_role("link").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("row", name="Bastien A")).to_be_visible()
    page.get_by_role("link", name="At risk").click()
    expect(page.get_by_role("row", name="Sofie A")).to_be_visible()
    page.get_by_role("link", name="Today").first.click()
    page.locator(".kpi", has_text="To approve").get_by_role("link").click()
    page.get_by_role("button", name="Excuse", exact=True).click()

    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert Excuse.objects.get().approval == "GRANTED"
    desk.leave()

"""One lead the whole way in a browser, as three roles: captured, called, BANT, SQL, counted."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, expect

from crm.accounts.enums import Role
from crm.accounts.models import User
from engagement.services import absorb_events, receive
from handoff.models import Handoff
from leads.models import Lead
from scoring.presets import default_definition
from scoring.services import install_model, score_due_leads
from tests.e2e.desks import Desk
from tests.factories import PASSWORD, make_team, make_user
from tests.handoff.factories import ANY_LEAD, BUYING_ACT, make_agreement, make_calendar, make_rep

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

ALWAYS_OPEN = {
    "timezone": "Europe/Berlin",
    "weekly": {
        day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    },
}


@pytest.fixture
def rep() -> User:
    """A company that works round the clock: a published model, a signed agreement, one rep."""
    now = timezone.now()
    install_model(definition=default_definition(), now=now)
    team = make_team(name="DACH")
    make_calendar(name="Round the clock", definition=ALWAYS_OPEN)
    make_agreement(BUYING_ACT, ANY_LEAD, now=now)
    return make_rep(team, full_name="Tomas Orlind", email="rep@example.com", password=PASSWORD)


def ask_for_a_demo(email: str) -> None:
    """Let the buyer's act arrive as the collector would store it, and let both sweeps run."""
    now = timezone.now()
    receive(
        source="website",
        messages=[
            {
                "type": "track",
                "event": "Demo Requested",
                "messageId": "journey-1",
                "userId": None,
                "anonymousId": "browser-1",
                "context": {"traits": {"email": email}},
                "timestamp": (now - timedelta(seconds=2)).isoformat(),
            },
            {
                "type": "identify",
                "messageId": "journey-2",
                "anonymousId": "browser-1",
                "traits": {"email": email},
                "timestamp": (now - timedelta(seconds=1)).isoformat(),
            },
        ],
        received_at=now,
        sent_at=now,
    )
    absorb_events(now=timezone.now())
    score_due_leads(now=timezone.now())


def test_one_lead_goes_the_whole_way(browser: Browser, base_url: str, rep: User) -> None:
    marketer = make_user(
        Role.MARKETER, full_name="Lena Brodvik", email="marketer@example.com", password=PASSWORD
    )
    manager = make_user(
        Role.MANAGER, full_name="Hanne Korvald", email="manager@example.com", password=PASSWORD
    )

    desk = Desk(browser, base_url, marketer)
    capture(desk)
    ask_for_a_demo("ines@kallweit.example")
    lead = Lead.objects.get()
    assert lead.stage == "MQL"
    desk.page.goto(reverse("leads:detail", args=[lead.pk]))
    expect(desk.page.get_by_role("heading", name="Ines Kallweit")).to_be_visible()
    desk.picture("2-lead-page")
    desk.leave()

    desk = Desk(browser, base_url, rep)
    work(desk)
    desk.leave()
    lead.refresh_from_db()
    assert (lead.stage, lead.next_step) == ("SQL", "Demo with the plant director")
    assert Handoff.objects.get().closed_at is not None

    desk = Desk(browser, base_url, manager)
    count(desk)
    desk.leave()


def capture(desk: Desk) -> None:
    """As a marketer: type in a lead."""
    page = desk.page
    expect(page).to_have_url(re.compile("/leads/"))
    page.goto(reverse("leads:create"))
    for label, text in {
        "First name": "Ines", "Last name": "Kallweit", "E-mail": "ines@kallweit.example",
        "Role": "Head of maintenance",
        "Company": "Kesterwald Pumpen", "Source": "Paid search",
    }.items():  # fmt: skip
        page.get_by_label(label, exact=True).fill(text)
    desk.picture("1-new-lead")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/leads/\d+/"))


def work(desk: Desk) -> None:
    """As the rep: accept, call, record BANT and the next step."""
    page = desk.page
    page.wait_for_url("**/queue/**")
    expect(page.get_by_role("link", name="Ines Kallweit").first).to_be_visible()
    desk.picture("3-queue")
    page.get_by_role("button", name="Accept").first.click()
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    desk.picture("4-queue-accepted")
    page.get_by_role("button", name="Connected").click()
    expect(page.get_by_text("1 of 6 attempts")).to_be_visible()
    desk.picture("5-queue-after-call")
    page.get_by_role("link", name="Record BANT").click()
    expect(page).to_have_url(re.compile(r"/bant/$"))
    for question in ("Budget", "Authority", "Need", "Timeline"):
        page.get_by_role("group", name=question).get_by_label("Yes").check()
    expect(page.get_by_text("Baton proposes SQL")).to_be_visible()
    page.get_by_role("radio", name="SQL").check()
    page.get_by_role("textbox", name="Next step").fill("Demo with the plant director")
    in_three_days = timezone.now() + timedelta(days=3)
    page.locator("[name=next_step_at]").fill(in_three_days.strftime("%Y-%m-%dT10:00"))
    desk.picture("6-bant")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/queue/**")


def count(desk: Desk) -> None:
    """As the manager: both reports count the lead, and their figures open it."""
    page = desk.page
    page.wait_for_url("**/today/")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/reports/sla/")
    expect(page.get_by_role("row", name="Tomas Orlind")).to_contain_text("1")
    desk.picture("7-sla")
    page.goto(reverse("reports:funnel"))
    desk.picture("8-funnel")
    page.locator(".funnel-step").nth(2).get_by_role("link").click()
    expect(page.get_by_role("link", name="Ines Kallweit")).to_be_visible()
    desk.picture("9-the-lead-behind-the-figure")

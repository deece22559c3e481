"""The frame around every page in a real browser: people, preferences, search, bell, health."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from crm.accounts import services
from crm.accounts.enums import Role
from crm.accounts.invitations import invitation_token
from crm.accounts.models import Invitation, User
from crm.common import health, outbox
from crm.common.models import Notification, OutboxMessage
from crm.common.notifications import notify
from tests.e2e.looks import DESK, PHONE, faults, violations
from tests.factories import PASSWORD, client_of, make_lead, make_team, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

NOON = datetime(2026, 5, 12, 10, 42, tzinfo=UTC)
Enter = Callable[[User], Page]


@pytest.fixture
def enter(page: Page, base_url: str) -> Iterator[Enter]:
    """Log people in; whatever breaks the content security policy fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)

    def log_in(user: User) -> Page:
        name = settings.SESSION_COOKIE_NAME
        session = client_of(user).cookies[name].value
        host = urlsplit(base_url).hostname or ""
        page.context.add_cookies([{"name": name, "value": session, "domain": host, "path": "/"}])
        return page

    yield log_in
    assert complaints == []


@pytest.fixture
def admin() -> User:
    """Make an admin in a house where something has happened."""
    admin = make_user(Role.ADMIN, full_name="Ada Lindqvist")
    make_user(full_name="Tomas Orlind", sales_team=make_team(name="DACH"))
    make_user(full_name="Karel Janda", is_active=False)
    invite_ines(admin)
    notify(recipients=[admin], key="n", title="19 min over", body="Bastien Aubrière", now=NOON)
    OutboxMessage.objects.filter(key__startswith="alert").update(state="DEAD", last_error="no")
    health.beat("enforce_deadlines", timezone.now())
    return admin


def invite_ines(admin: User) -> Invitation:
    return services.invite(
        email="ines@example.com",
        full_name="Ines Kallweit",
        roles=[Role.REP],
        sales_team=None,
        invited_by=admin,
        now=timezone.now(),
    )


@pytest.mark.parametrize("name", ["accounts:people", "shell:notifications", "shell:health"])
def test_pages_on_which_something_waits_are_accessible_and_fit_in_both_themes_and_sizes(
    enter: Enter, admin: User, name: str
) -> None:
    assert faults(enter(admin), reverse(name), looks=[("light", DESK), ("dark", PHONE)]) == []


def test_a_person_is_invited_accepts_and_is_in(enter: Enter, admin: User, page: Page) -> None:
    enter(admin).goto(reverse("accounts:people"))
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("E-mail").fill("oskar@example.com")
    page.get_by_label("Name").fill("Oskar Wendlund")
    page.get_by_label("Marketer").check()
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("oskar@example.com gets a mail with a link")).to_be_visible()

    page.context.clear_cookies()
    token = invitation_token(Invitation.objects.get(email="oskar@example.com"))
    page.goto(reverse("accounts:accept_invitation", args=[token]))
    offered = violations(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create my account").click()

    expect(page.get_by_role("button", name="Oskar Wendlund Marketer")).to_be_visible()
    assert offered == []


def test_typing_offers_leads_and_enter_lists_them(enter: Enter, admin: User) -> None:
    make_lead(first_name="Ines", last_name="Kallweit", company_name="Kesterwald Pumpen")
    make_lead(first_name="Oskar", last_name="Wendlund", company_name="Trygve Cold Chain")
    page = enter(admin)
    page.goto(reverse("accounts:preferences"))

    page.keyboard.press("/")
    page.keyboard.type("kallw")
    expect(page.get_by_role("link", name="Ines Kallweit")).to_be_visible()
    offered = violations(page)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Search")).to_be_visible()
    expect(page.get_by_role("row", name="Ines Kallweit")).to_be_visible()
    assert (offered, page.get_by_text("Oskar Wendlund").count()) == ([], 0)


def test_the_palette_goes_to_a_lead_with_the_keyboard_alone(enter: Enter, admin: User) -> None:
    lead = make_lead(first_name="Ines", last_name="Kallweit", company_name="Kesterwald Pumpen")
    page = enter(admin)
    page.goto(reverse("accounts:preferences"))
    page.locator("#id_full_name").focus()

    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="People Set up")).to_be_visible()
    opened = violations(page)
    page.keyboard.type("kallw")
    expect(page.get_by_role("option", name="Ines Kallweit")).to_have_attribute(
        "aria-selected", "true"
    )
    page.keyboard.press("Escape")
    expect(page.locator("#id_full_name")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("invite")
    expect(page.get_by_role("option", name="Invite a colleague")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(reverse("accounts:invite")))  # and for the scripts: keys need them
    page.keyboard.press("Control+k")
    page.keyboard.type("kallw")
    page.get_by_role("option", name="Ines Kallweit").click()
    expect(page).to_have_url(re.compile(reverse("leads:detail", args=[lead.pk])))
    assert opened == []


def test_who_types_faster_than_the_palette_answers_gets_what_they_typed(
    enter: Enter, admin: User
) -> None:
    page = enter(admin)
    page.goto(reverse("leads:list"))

    page.keyboard.press("Control+k")
    expect(page.locator("#palette").get_by_role("option").first).to_be_visible()
    page.keyboard.type("invite a colleague")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(reverse("accounts:invite")))


def test_an_answer_that_comes_late_leaves_the_choice_where_the_arrows_went(
    enter: Enter, admin: User
) -> None:
    page = enter(admin)
    held: list[Route] = []
    # Playwright marks what it calls: a list's own method takes no mark.
    page.route("**/palette/?q=invite", lambda route: held.append(route))  # noqa: PLW0108
    page.goto(reverse("leads:list"))
    page.keyboard.press("Control+k")
    expect(page.locator("#palette").get_by_role("option").first).to_be_visible()
    page.keyboard.type("invit")
    expect(page.get_by_role("option", name="for “invit”")).to_be_visible()
    with page.expect_request("**/palette/?q=invite"):
        page.keyboard.type("e")
    page.keyboard.press("ArrowDown")

    held.pop().continue_()

    late = page.get_by_role("option", name="for “invite”")
    expect(late).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(reverse("accounts:invite")))


def test_what_is_pressed_while_the_palette_opens_again_is_kept(enter: Enter, admin: User) -> None:
    page = enter(admin)
    page.goto(reverse("leads:list"))
    page.keyboard.press("Control+k")
    expect(page.locator("#palette").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")

    page.evaluate("""() => {
      const press = (on, key, more) =>
        on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
      press(document.body, "k", { ctrlKey: true });
      const field = document.querySelector("#palette input");
      field.value = "invite a colleague";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      press(field, "Enter");
    }""")

    expect(page).to_have_url(re.compile(reverse("accounts:invite")))


def test_the_palette_offers_what_the_page_does_by_keys(enter: Enter, admin: User) -> None:
    page = enter(admin)
    page.goto(reverse("leads:list"))

    page.keyboard.press("Control+k")
    page.keyboard.type("filter")
    expect(page.get_by_role("option", name="Filter", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )
    page.keyboard.press("Enter")

    expect(page.locator("#list-panel")).to_contain_text("Stage")


def test_the_bell_opens_the_news_and_opening_one_reads_it(enter: Enter, admin: User) -> None:
    page = enter(admin)
    page.goto(reverse("accounts:people"))

    page.get_by_role("button", name="Notifications, 1 unread").click()
    news = page.get_by_role("button", name="19 min over")
    expect(news).to_be_visible()
    opened = violations(page)
    news.click()

    expect(page.get_by_role("button", name="Notifications, 0 unread")).to_be_visible()
    assert Notification.objects.unread().count() == 0
    assert opened == []


def test_what_got_stuck_is_sent_again_by_one_click(enter: Enter, admin: User) -> None:
    page = enter(admin)
    page.goto(reverse("shell:health"))

    page.get_by_role("button", name="Send again").click()

    expect(page.get_by_text("Nothing is stuck")).to_be_visible()
    assert outbox.dispatch_outbox(now=timezone.now()) >= 1

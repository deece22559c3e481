"""The pages around the login in a real browser: they work, are accessible and keep the policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from crm.accounts.enums import Role
from crm.accounts.models import User
from tests.e2e.looks import violations
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def quiet_page(page: Page) -> Iterator[Page]:
    """Give a browser tab in which whatever breaks the policy fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    yield page
    assert complaints == []


@pytest.fixture
def marketer() -> User:
    """Make a person who can log in with a password."""
    return make_user(Role.MARKETER, email="lena@example.com", password=PASSWORD)


def log_in(page: Page, password: str) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("E-mail").fill("lena@example.com")
    page.get_by_label("Password", exact=False).first.fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("name", ["account_login", "account_reset_password"])
def test_pages_before_the_login_are_accessible(quiet_page: Page, name: str) -> None:
    quiet_page.goto(reverse(name))

    assert violations(quiet_page) == []


def test_a_wrong_password_is_said_where_it_was_typed(quiet_page: Page, marketer: User) -> None:
    log_in(quiet_page, "not the password")

    expect(quiet_page.get_by_text("not correct")).to_be_visible()
    assert violations(quiet_page) == []


def test_the_way_to_a_second_factor_is_open_and_accessible(
    quiet_page: Page, marketer: User
) -> None:
    log_in(quiet_page, PASSWORD)
    quiet_page.goto(reverse("mfa_index"))
    overview = violations(quiet_page)
    quiet_page.get_by_role("link", name="Set up").click()
    confirmation = violations(quiet_page)
    quiet_page.get_by_label("Password").fill(PASSWORD)
    quiet_page.get_by_role("button", name="Confirm").click()

    expect(quiet_page.get_by_label("Key, if you cannot scan")).to_be_visible()
    assert overview + confirmation + violations(quiet_page) == []


def test_logging_out_asks_once(quiet_page: Page, marketer: User) -> None:
    log_in(quiet_page, PASSWORD)
    quiet_page.goto(reverse("account_logout"))

    quiet_page.get_by_role("main").get_by_role("button", name="Log out").click()

    expect(quiet_page.get_by_role("button", name="Log in")).to_be_visible()


def test_what_does_not_exist_is_said_on_a_page_of_ours(quiet_page: Page) -> None:
    answer = quiet_page.goto("/no/such/page/")

    assert answer is not None
    assert answer.status == 404
    expect(quiet_page.get_by_role("heading", name="Not here, or not yours to see")).to_be_visible()
    assert violations(quiet_page) == []

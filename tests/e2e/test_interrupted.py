"""A session that ends in the middle of a form: nothing that was typed is lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from crm.accounts.enums import Role
from handoff.models import Handoff
from leads.models import Lead
from tests.e2e.desks import Desk
from tests.factories import PASSWORD, make_team, make_user
from tests.handoff.factories import make_agreement, make_calendar, make_handoff, make_rep
from tests.handoff.test_pages import ALWAYS

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def log_in_again(page: Page, email: str) -> None:
    expect(page.get_by_text("You were logged out before this was sent")).to_be_visible()
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_a_form_comes_back_as_it_was_after_the_login(browser: Browser, base_url: str) -> None:
    make_user(Role.MARKETER, email="lena@example.com", password=PASSWORD)
    desk = Desk(browser, base_url, make_user(Role.MARKETER, password=PASSWORD, email="m@b.example"))
    page = desk.page
    page.goto(reverse("leads:create"))
    page.get_by_label("First name").fill("Ines")
    page.get_by_label("Company", exact=True).fill("Kesterwald Pumpen")
    page.get_by_label("E-mail").fill("ines@kesterwald.example")
    Session.objects.all().delete()

    page.keyboard.press("Control+Enter")
    log_in_again(page, "m@b.example")

    expect(page).to_have_url(re.compile(reverse("leads:create")))
    expect(page.get_by_text("What you wrote is back")).to_be_visible()
    expect(page.get_by_label("Company", exact=True)).to_have_value("Kesterwald Pumpen")
    assert not Lead.objects.exists()
    page.get_by_label("First name").press("Control+Enter")
    page.wait_for_url(re.compile(r"/leads/\d+/"))
    assert Lead.objects.get().first_name == "Ines"
    page.goto(reverse("leads:create"))
    expect(page.get_by_label("First name")).to_have_value("")
    desk.leave()


def test_nobody_else_gets_what_somebody_wrote(browser: Browser, base_url: str) -> None:
    make_user(Role.MARKETER, email="lena@example.com", password=PASSWORD)
    desk = Desk(browser, base_url, make_user(Role.MARKETER, password=PASSWORD, email="m@b.example"))
    desk.page.goto(reverse("leads:create"))
    desk.page.get_by_label("First name").fill("Ines")
    Session.objects.all().delete()

    desk.page.keyboard.press("Control+Enter")
    log_in_again(desk.page, "lena@example.com")

    expect(desk.page.get_by_label("First name")).to_have_value("")
    desk.leave()


def test_an_answer_given_within_a_row_comes_back_on_its_own_page(
    browser: Browser, base_url: str
) -> None:
    make_calendar(definition=ALWAYS)
    make_agreement()
    rep = make_rep(make_team(name="DACH"), email="rep@example.com", password=PASSWORD)
    make_handoff(rep=rep, now=timezone.now() - timedelta(minutes=1))
    desk = Desk(browser, base_url, rep)
    page = desk.page
    page.get_by_role("link", name="Reject…").click()
    page.get_by_label("Too early").check()
    page.locator("#act-form textarea, #act-form input[name=note]").fill("Next year")
    Session.objects.all().delete()

    page.get_by_role("button", name="Reject", exact=True).click()
    log_in_again(page, "rep@example.com")

    expect(page.get_by_label("Too early")).to_be_checked()
    expect(page.locator("#act-form [name=note]")).to_have_value("Next year")
    page.get_by_role("button", name="Reject", exact=True).click()
    page.wait_for_url(re.compile(reverse("handoff:queue")))
    assert Handoff.objects.get().rejection_note == "Next year"
    desk.leave()


def test_who_logs_out_leaves_no_form_behind(browser: Browser, base_url: str) -> None:
    desk = Desk(browser, base_url, make_user(Role.MARKETER, password=PASSWORD, full_name="Mira F"))
    page = desk.page
    page.goto(reverse("leads:create"))
    page.get_by_label("First name").fill("Ines")
    page.get_by_label("E-mail").fill("ines@kesterwald")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[aria-invalid=true]")).to_be_visible()

    page.get_by_role("button", name="Mira F").click()
    page.get_by_role("button", name="Log out").click()

    expect(page.locator("input[name=login]")).to_be_visible()
    expect(page.get_by_text("You were logged out before this was sent")).to_be_hidden()
    assert page.evaluate("sessionStorage.getItem('baton:interrupted')") is None
    desk.leave()

"""The scoring model in a browser: edited, tested, approved, signed, in force, explained."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.models import Lead
from scoring.models import ScoringModel
from scoring.services import renew_scores, score_due_leads
from scoring.tasks import run_back_tests
from tests.e2e.desks import Desk
from tests.e2e.test_forms import assert_accessible
from tests.factories import PASSWORD, make_lead, make_user
from tests.handoff.factories import ANY_LEAD, BUYING_ACT, make_agreement
from tests.scoring.logs import log_act

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.fixture
def lead() -> Lead:
    """Make a company with a model in force and a signed agreement, and a lead that asked."""
    now = timezone.now()
    make_agreement(BUYING_ACT, ANY_LEAD, now=now - timedelta(days=60))
    lead = make_lead(
        first_name="Oskar", last_name="Wendlund", created_at=now - timedelta(days=30), country="DE"
    )
    log_act(lead.pk, "PRICING_REQUEST", at=now - timedelta(days=2))
    score_due_leads(now=now)
    return lead


def somebody(role: Role, name: str) -> User:
    return make_user(role, full_name=name, email=f"{role.lower()}@example.com", password=PASSWORD)


def test_a_model_is_edited_tested_approved_signed_and_explains_a_lead(
    browser: Browser, base_url: str, lead: Lead
) -> None:
    mira = Desk(browser, base_url, somebody(Role.MARKETER, "Mira Feldkamp"))
    hanna = Desk(browser, base_url, somebody(Role.MANAGER, "Hanna Lindqvist"))
    edit_a_rule_and_a_cell(mira.page)
    try_with_the_lead(mira.page)
    assert_accessible(mira.page)

    back_test(mira.page)
    mira.page.get_by_role("button", name="Request approval").click()
    expect(mira.page.get_by_text("waits for a second person")).to_be_visible()
    hanna.page.goto("/scoring/2/")
    hanna.page.get_by_role("button", name="Approve").click()
    expect(hanna.page.get_by_text("Model v2 is approved.")).to_be_visible()
    assert_accessible(hanna.page)

    sign(mira.page, hanna.page)
    expect_in_force(mira.page, lead)
    mira.leave()
    hanna.leave()


def edit_a_rule_and_a_cell(page: Page) -> None:
    """Change points by keyboard, meet a fault, mend it, and click a cell."""
    page.goto("/scoring/")
    page.get_by_role("button", name="Start a draft").click()
    rule = page.get_by_role("link", name=re.compile("^Change .*pric", re.IGNORECASE)).first
    rule.focus()
    page.wait_for_load_state()  # keys work once the scripts do
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(rule).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    assert_accessible(page)
    points = page.get_by_label("Points")
    points.fill("many")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Must be a number.")).to_be_visible()
    expect(points).to_be_focused()
    points.fill("21")
    page.keyboard.press("Control+Enter")
    page.locator("#cell-C3").focus()  # goes on before the server has answered
    page.keyboard.press("ArrowUp")
    expect(page.locator("#cell-B3")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#cell-C3")).to_be_focused()
    page.evaluate("scrollTo({ top: 200, behavior: 'instant' })")
    page.locator("#cell-C3").click()
    expect(page.get_by_text("C3 is new")).to_be_visible()
    assert page.evaluate("scrollY") >= 200, "the page went back to its top"
    expect(page.locator("#cell-C3")).to_be_focused()
    expect(page.get_by_text("1 rule and 1 cell differ from v1.")).to_be_visible()


def try_with_the_lead(page: Page) -> None:
    """Find a lead; its lines stand under both versions."""
    page.get_by_label("Search a lead to try").fill("wendl")
    page.get_by_role("link", name="Oskar Wendlund").click()
    expect(page.get_by_role("table").filter(has_text="Sum of lines")).to_contain_text("v2")


def back_test(page: Page) -> None:
    """Ask for the back-test, and run the worker's task; the card finds out by itself."""
    card = page.locator("#back-test")
    card.get_by_role("button", name="Run").click()
    expect(card).to_contain_text("Waiting for a worker")
    run_back_tests()
    expect(card.get_by_role("button", name="Run again")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Back-tested \d"))).to_be_visible()


def sign(marketing: Page, sales: Page) -> None:
    """Have both teams sign the agreement that holds the new cell."""
    marketing.goto("/scoring/2/")
    marketing.get_by_role("button", name="Draft agreement").click()
    marketing.get_by_role("button", name="Sign for Marketing").click()
    sales.goto("/scoring/2/")
    sales.get_by_role("link", name="Both teams sign").click()
    sales.get_by_role("button", name="Sign for Sales").click()
    expect(sales.get_by_text("Signed by both sides")).to_be_visible()


def expect_in_force(page: Page, lead: Lead) -> None:
    """Look at the version in force, and at the lead's score by it."""
    renew_scores(now=timezone.now())
    page.goto("/scoring/2/")
    expect(page.get_by_text("v2 in force")).to_be_visible()
    assert ScoringModel.objects.get(version=2).definition["mql"]["cells"].count("C3") == 1
    page.goto(f"/leads/{lead.pk}/score/")
    expect(page.get_by_text("v2").first).to_be_visible()
    expect(page.locator("#content")).to_contain_text("21")

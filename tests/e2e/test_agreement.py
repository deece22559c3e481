"""The agreement from a draft to both signatures, as two people at their browsers do it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect

from crm.accounts.enums import Role
from handoff.enums import AgreementState
from handoff.models import Agreement
from tests.e2e.desks import Desk
from tests.factories import PASSWORD, make_user
from tests.handoff.factories import make_scoring_model

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_two_people_draft_and_sign_the_agreement(browser: Browser, live_server: Any) -> None:
    make_scoring_model()
    mira = make_user(Role.MARKETER, full_name="Mira Sandell", password=PASSWORD)
    hanna = make_user(Role.MANAGER, full_name="Hanna Korvald", password=PASSWORD)
    marketing = Desk(browser, live_server.url, mira)
    page = marketing.page
    page.goto(reverse("handoff:agreement"))
    page.get_by_role("button", name="Draft an agreement").click()
    page.get_by_label("Marketing: MQLs a month").fill("630")
    page.get_by_label("Answers for: mqls a month").select_option(label="Mira Sandell")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="New tier").click()
    page.get_by_label("Name").fill("Key accounts")
    for label, minutes in (("accept", "0"), ("first touch", "60"), ("verdict", "960")):
        page.get_by_label(f"Minutes to {label}").fill(minutes)
    page.get_by_label("Takes buying acts").check()
    page.locator("button.btn-primary", has_text="Save").click()
    expect(page.locator(".page")).to_contain_text("greater than or equal to 1")
    page.get_by_label("Minutes to accept").fill("20")
    page.locator("button.btn-primary", has_text="Save").click()
    expect(page.locator(".page")).to_contain_text("Tier Key accounts matches nothing")
    page.goto(reverse("handoff:agreement_edit", args=[1]))
    page.get_by_role("link", name="Read and sign").click()
    expect(page.locator("article")).to_contain_text("630 MQLs a month")
    page.get_by_role("button", name="Sign for Marketing").click()
    expect(page.locator(".signatures")).to_contain_text("Mira Sandell")
    expect(page.get_by_role("button", name=re.compile("Sign for"))).to_have_count(0)
    marketing.leave()

    sales = Desk(browser, live_server.url, hanna)
    page = sales.page
    page.goto(f"{reverse('handoff:agreement')}?version=1")
    expect(page.get_by_role("link", name="Change the draft")).to_have_count(0)
    page.get_by_role("button", name="Sign for Sales").click()
    expect(page.locator(".topbar")).to_contain_text("in force")
    expect(page.locator(".signatures")).to_contain_text("Hanna Korvald")
    page.emulate_media(media="print")
    expect(page.locator("article.document")).to_be_visible()
    expect(page.locator(".sidebar")).to_be_hidden()
    expect(page.locator("aside.panel")).to_be_hidden()
    sales.leave()
    assert Agreement.objects.get().state == AgreementState.IN_FORCE

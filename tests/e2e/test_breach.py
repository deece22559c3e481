"""A deadline from its warning over the breach to the excuse, as rep and manager see it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import ClockKind
from handoff.models import Clock, Handoff, HolderInterval
from handoff.services import enforce_deadlines
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

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

MINUTE = timedelta(minutes=1)
#: Of the two hours to accept, so that both warnings are due and the breach is not.
GONE = 100 * MINUTE


@pytest.fixture
def jonas(transactional_db: None) -> User:
    make_calendar(definition=ALWAYS)
    make_agreement(ANY_LEAD)
    return make_rep(make_team(name="DACH"), full_name="Jonas Reiter", password=PASSWORD)


@pytest.fixture
def handoff(jonas: User) -> Handoff:
    return make_handoff(rep=jonas, now=timezone.now() - GONE, first_name="Ines", last_name="Falk")


def test_a_breach_is_followed_from_the_warning_to_the_excuse(
    browser: Browser, live_server: Any, jonas: User, handoff: Handoff
) -> None:
    hanna = make_user(Role.MANAGER, full_name="Hanna Korvald", password=PASSWORD)
    enforce_deadlines(now=timezone.now())
    rep = Desk(browser, live_server.url, jonas)
    _follow(rep.page, "Accept at risk: Ines Falk")
    expect(rep.page).to_have_url(re.compile(handoff.get_absolute_url()))
    expect(rep.page.locator(".page")).to_contain_text("2 h of working time from")

    _half_an_hour_passes(handoff)
    enforce_deadlines(now=timezone.now())
    _follow(rep.page, "Accept overdue: Ines Falk")
    expect(rep.page.locator(".page")).to_contain_text("over")
    rep.page.get_by_role("link", name="Missed deadlines").click()
    rep.page.get_by_role("link", name="Ask to be excused…").click()
    rep.page.get_by_label("Phone, mail or Baton was down").check()
    rep.page.get_by_label("What should your manager know?").fill("The trunk line was down.")
    rep.page.get_by_role("button", name="Ask", exact=True).click()
    expect(rep.page.locator("[data-toast]")).to_contain_text("A manager will decide")
    expect(rep.page.locator("tbody")).to_contain_text("Waits")

    manager = Desk(browser, live_server.url, hanna)
    _follow(manager.page, "Accept overdue: Ines Falk")
    _follow(manager.page, "Excuse to decide: Ines Falk")
    expect(manager.page.locator(".page")).to_contain_text("The trunk line was down.")
    manager.page.get_by_role("link", name=re.compile("To approve")).click()
    manager.page.get_by_role("button", name="Excuse", exact=True).click()
    expect(manager.page.get_by_text("Nothing waits for you")).to_be_visible()
    manager.page.goto(f"{reverse('reports:sla')}?kind=ACCEPT")
    breaches = manager.page.locator("tr", has_text="Ines Falk")
    expect(breaches).to_contain_text("Excused")
    expect(breaches).to_contain_text("10 min")
    manager.leave()

    _follow(rep.page, "Excuse granted: Ines Falk")
    expect(rep.page.locator(".page")).to_contain_text("decided by Hanna Korvald")
    expect(rep.page.get_by_role("link", name="Ask to be excused…")).to_have_count(0)
    rep.leave()
    accept = clock_of(handoff, ClockKind.ACCEPT)
    assert accept.breached_at == accept.due_at
    assert accept.excused_at is not None


def _follow(page: Page, title: str) -> None:
    """Open what the bell says."""
    page.goto(reverse("shell:notifications"))
    page.get_by_role("button", name=re.compile(title)).click()


def _half_an_hour_passes(handoff: Handoff) -> None:
    """Let all that happened have happened half an hour earlier."""
    _earlier(Handoff.objects.filter(pk=handoff.pk), "raised_at", "opened_at")
    _earlier(HolderInterval.objects.filter(handoff=handoff), "started_at")
    of_clock = ("first_warning_at", "at_risk_at", "last_warning_at", "due_at", "escalate_at")
    _earlier(Clock.objects.filter(handoff=handoff), "started_at", "alarm_at", *of_clock)


def _earlier(rows: QuerySet[Any], *names: str) -> None:
    rows.update(**{name: F(name) - 30 * MINUTE for name in names})

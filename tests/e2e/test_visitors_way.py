"""A visitor over the sample site: a stranger reads, gets a name, and reaches a rep's queue."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from crm.accounts.models import User
from crm.demo.company import PASSWORD
from engagement.services import absorb_events
from handoff.models import Handoff, RepProfile
from leads.models import Lead
from scoring.services import score_due_leads
from tests.collecting import Collector
from tests.e2e.desks import Desk
from tests.factories import client_of
from tests.processes import database_url, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

#: Headless browsers say so, and are taken for machines.
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
READING = 2_100  # milliseconds; whoever sends a form sooner is taken for a machine
DECLINED, AGREED = "ola@kesterwald-pumpen.de", "ines@kesterwald-pumpen.de"


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """Run a collector beside the demo company."""
    call_command("seed_demo", leads=25, seed=3, stdout=io.StringIO())
    running = Collector(database_url(), tmp_path)
    running.start()
    with override_settings(COLLECTOR_URL=running.url):
        yield running
    running.stop()


@pytest.fixture
def visitor(browser: Browser, base_url: str, collector: Collector) -> Iterator[Page]:
    """Open the site as a person without a session; nothing may break its policy."""
    context = browser.new_context(base_url=base_url, user_agent=CHROME)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    yield page
    assert complaints == []
    context.close()


def see(page: Page, path: str) -> None:
    page.goto(f"/sample-site/{path}")


def send_form(page: Page, path: str, email: str) -> None:
    see(page, path)
    form = page.frame_locator("iframe")
    form.locator("[name=email]").fill(email)
    form.locator("[name=country]").select_option("DE")
    page.wait_for_timeout(READING)
    form.locator("form button[type=submit]").click()
    expect(form.get_by_text("Thank you").first).to_be_visible()


def work_until(condition: Callable[[], object]) -> None:
    """Do what the workers do until something holds."""

    def worked() -> object:
        absorb_events(now=timezone.now())
        score_due_leads(now=timezone.now())
        return condition()

    wait_for(worked)


def timeline_of(email: str) -> str:
    lead = Lead.objects.get(email=email)
    mira = client_of(User.objects.get(email="mira@halvorn.example"))
    return mira.get(f"/leads/{lead.pk}/").content.decode()


def alone_at_work(email: str) -> User:
    """Send all other reps home, so that the rotation has no choice."""
    rep = User.objects.get(email=email)
    RepProfile.objects.exclude(pk=rep.pk).update(absent_from=timezone.now())
    return rep


def test_what_a_stranger_read_belongs_to_the_lead_it_becomes_if_it_agreed(
    visitor: Page, browser: Browser, base_url: str
) -> None:
    see(visitor, "")
    visitor.get_by_role("button", name="No, thank you").click()
    see(visitor, "pricing")
    send_form(visitor, "guides/planned-downtime", DECLINED)

    visitor.evaluate("localStorage.clear()")
    see(visitor, "")
    visitor.get_by_role("button", name="Yes, you may").click()
    see(visitor, "blog/why-oee-misleads?utm_source=newsletter&utm_medium=email")
    visitor.wait_for_timeout(READING)
    see(visitor, "pricing")
    assert not Lead.objects.filter(email=AGREED).exists()
    send_form(visitor, "guides/planned-downtime", AGREED)
    work_until(lambda: "Viewed Pricing" in timeline_of(AGREED))

    assert "Viewed Why OEE misleads" in timeline_of(AGREED)
    assert "Read Why OEE misleads" in timeline_of(AGREED)
    assert "Viewed Pricing" not in timeline_of(DECLINED)
    assert not Handoff.objects.filter(lead__email=AGREED).exists()

    jonas = alone_at_work("jonas@halvorn.example")
    send_form(visitor, "demo", AGREED)
    work_until(lambda: Handoff.objects.open().filter(lead__email=AGREED).exists())

    desk = Desk(browser, base_url, jonas, password=PASSWORD)
    desk.page.wait_for_url("**/queue/**")
    expect(desk.page.get_by_role("link", name=AGREED, exact=True)).to_be_visible()
    desk.picture("visitor-in-the-queue")
    desk.leave()

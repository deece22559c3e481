"""The lead page in a real browser: accessible, and alive where it is swapped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.accounts.enums import Role
from engagement.enums import EventKind
from engagement.services import record_event
from leads.models import Lead
from leads.services import create_lead
from tests.e2e.looks import LOOKS, faults
from tests.factories import client_of, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lead() -> Lead:
    now = timezone.now()
    lead = create_lead(
        now=now,
        created_at=now - timedelta(days=90),
        first_name="Ines",
        last_name="Kallweit",
        email="i.kallweit@kesterwald.example",
        company_name="Kesterwald Pumpen",
        country="DE",
    )
    for day in range(45):
        record_event(
            lead_id=lead.pk,
            kind=EventKind.PAGE_VIEW,
            occurred_at=now - timedelta(days=day),
            now=now,
            url=f"https://a.example/{day}",
        )
    return lead


@pytest.fixture
def lead_page(page: Page, base_url: str, lead: Lead) -> Iterator[Page]:
    """Open the page of ``lead`` as a manager; whatever breaks the policy fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    name = settings.SESSION_COOKIE_NAME
    session = client_of(make_user(Role.MANAGER)).cookies[name].value
    host = urlsplit(base_url).hostname or ""
    page.context.add_cookies([{"name": name, "value": session, "domain": host, "path": "/"}])
    page.goto(reverse("leads:detail", args=[lead.pk]))
    yield page
    assert complaints == []


@pytest.mark.parametrize("address", ["detail", "edit", "stage"])
def test_the_pages_of_a_lead_are_accessible_and_fit(
    lead_page: Page, lead: Lead, address: str
) -> None:
    assert faults(lead_page, reverse(f"leads:{address}", args=[lead.pk]), looks=LOOKS) == []


def test_older_entries_are_added_below(lead_page: Page) -> None:
    expect(lead_page.get_by_text("Viewed /40")).to_have_count(0)

    lead_page.get_by_role("link", name="Show older").click()

    expect(lead_page.get_by_text("Viewed /40")).to_be_visible()
    expect(lead_page.get_by_text("Viewed /0")).to_be_visible()
    expect(lead_page.get_by_role("link", name="Show older")).to_have_count(0)


def test_a_note_appears_on_the_timeline_and_leaves_an_empty_field(lead_page: Page) -> None:
    lead_page.get_by_label("Note").fill("Wants a call in June")
    lead_page.get_by_role("button", name="Add note").click()

    expect(lead_page.locator("#timeline")).to_contain_text("Wants a call in June")
    expect(lead_page.get_by_label("Note")).to_have_value("")


def test_a_refused_move_keeps_the_dialog_and_a_good_one_shows_on_the_page(
    lead_page: Page,
) -> None:
    lead_page.get_by_role("link", name="Move…").click()
    dialog = lead_page.get_by_role("dialog")
    dialog.get_by_label("Move to").select_option("RECYCLED")
    dialog.get_by_label("Reason").fill("No budget this year")
    dialog.get_by_role("button", name="Move").click()
    expect(dialog.get_by_label("Wake up on")).to_be_focused()
    expect(dialog.get_by_label("Reason")).to_have_value("No budget this year")

    dialog.get_by_label("Move to").select_option("DISQUALIFIED")
    dialog.get_by_role("button", name="Move").click()

    expect(lead_page.locator(".lead-head")).to_contain_text("Disqualified, cycle 1")
    expect(lead_page.locator("#timeline")).to_contain_text("Reason: No budget this year")

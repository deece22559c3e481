"""Script in what strangers send is text wherever it is shown, in a real browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page

from crm.accounts.enums import Role
from engagement.enums import SourceKind
from engagement.models import CaptureForm, Event, Source
from engagement.services import absorb_events, receive
from leads.models import Lead
from tests.engagement.form_making import make_form, send
from tests.factories import client_of, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SCRIPT = "<script>window.hit=1</script>"
IMAGE = "\"'><img src=x onerror=window.hit=2>"
TEMPLATE, EVALUATED = "{{6131*7919}}", "48551389"  # a product that no clock or count shows
EVIL = SCRIPT + IMAGE + TEMPLATE
EMAIL = "eve@kesterwald.example"


def hostile(number: int, agent: str, **body: Any) -> dict[str, Any]:
    """Return a message with script wherever a stranger may write."""
    at = timezone.now() - timedelta(minutes=number)
    return {
        "messageId": f"evil-{number}{EVIL}", "type": "page", "name": EVIL,
        "anonymousId": f"browser{EVIL}", "timestamp": at.isoformat(),
        "properties": {"title": EVIL, "url": f"https://a.example/{EVIL}", "mailing": EVIL},
        "context": {
            "userAgent": agent,
            "page": {"referrer": f"https://evil.example/{EVIL}", "url": f"javascript:{EVIL}"},
            "campaign": {"source": EVIL, "medium": EVIL, "name": EVIL},
        },
        **body,
    }  # fmt: skip


@pytest.fixture
def lead() -> Lead:
    """Make somebody whose every trait and event holds script."""
    now = timezone.now()
    Source.objects.create(
        name="site", label="Site", kind=SourceKind.WEBSITE, write_key="k", created_at=now
    )
    traits = {"email": EMAIL, "firstName": EVIL, "lastName": EVIL, "company": EVIL, "title": EVIL}
    browser = f"Mozilla/5.0 Chrome/125 {EVIL}"
    messages = [
        hostile(9, browser),
        hostile(8, browser, name=""),
        hostile(7, browser, type="track", event=EVIL),
        hostile(6, f"Googlebot/2.1 {EVIL}"),
        hostile(5, browser, type="identify", traits=traits),
        hostile(4, f"Googlebot/2.1 {EVIL}", type="track", event="Email clicked"),
        hostile(3, ""),
    ]
    receive(source="site", messages=messages, received_at=now, meta={"agent": EVIL})
    assert absorb_events(now=now) == len(messages)
    lead = Lead.objects.get(email=EMAIL)
    assert Event.objects.filter(lead=lead).count() == len(messages)
    return lead


@pytest.fixture
def form() -> CaptureForm:
    """Make a form that a person and a robot sent with script in each answer."""
    form = make_form()
    said: dict[str, Any] = {"first_name": EVIL, "last_name": EVIL, "company_name": EVIL}
    send(form, email="mallory@kesterwald.example", arrival={"page_url": EVIL}, **said)
    send(form, email="robot@kesterwald.example", arrival={"trap": EVIL}, **said)
    return form


def test_script_in_events_is_text_on_every_page(
    page: Page, base_url: str, lead: Lead, form: CaptureForm
) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    cookie = settings.SESSION_COOKIE_NAME
    session = client_of(make_user(Role.MARKETER)).cookies[cookie].value
    page.context.add_cookies([{"name": cookie, "value": session, "url": base_url}])
    places = [
        f"/leads/{lead.pk}/",
        f"/leads/{lead.pk}/?kind=acts",
        f"/leads/{lead.pk}/?kind=machines",
        "/leads/?columns=name,last_act,first_touch,last_touch",
        "/tracking/machine-events/",
        "/tracking/machine-events/?rule=UNSAID",
        "/tracking/sources/",
        f"/tracking/sources/{Source.objects.get().pk}/",
        f"/content/forms/{form.pk}/sent/",
        f"/content/forms/{form.pk}/sent/?state=REFUSED",
    ]

    for place in places:
        page.goto(base_url + place)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hit") is None, place
        assert page.locator("img[src='x']").count() == 0, place
        assert EVALUATED not in page.locator("main").inner_text(), place
    assert complaints == []


def test_what_is_swapped_in_is_text_too(page: Page, base_url: str, lead: Lead) -> None:
    cookie = settings.SESSION_COOKIE_NAME
    session = client_of(make_user(Role.MARKETER)).cookies[cookie].value
    page.context.add_cookies([{"name": cookie, "value": session, "url": base_url}])
    page.goto(f"{base_url}/tracking/machine-events/")

    row = page.get_by_role("row").filter(has_text="googlebot").first
    assert SCRIPT in row.inner_text()
    row.get_by_role("button", name="Restore").click()
    page.get_by_role("button", name="Undo").wait_for()

    assert page.evaluate("window.hit") is None
    assert page.locator("img[src='x']").count() == 0

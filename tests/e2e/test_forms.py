"""A form from the builder to the lead, in a real browser: with scripts, without, and in a frame."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from crm.accounts.enums import Role
from crm.common.outbox import dispatch_outbox
from engagement.models import CaptureForm, Submission
from leads.models import Lead
from tests.e2e.looks import violations
from tests.engagement.form_making import make_form, make_newsletter, send
from tests.factories import client_of, make_lead, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
#: Longer than the two seconds below which nobody fills in a form.
READING = 2_100


class Site(ThreadingHTTPServer):
    """Another site, on another port and so of another origin."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SitePage)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.pages: dict[str, str] = {}


class SitePage(BaseHTTPRequestHandler):
    """Answers with the page that the test wrote, under its path as heading."""

    server: Site

    def do_GET(self) -> None:
        body = f"<h1>{self.path}</h1>{self.server.pages.get(self.path, '')}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve another site."""
    with Site() as served:
        Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.shutdown()


@pytest.fixture
def desk(page: Page, base_url: str) -> Iterator[Page]:
    """Open pages as a marketer; whatever breaks the policy or throws fails the test."""
    complaints = watch(page)
    name = settings.SESSION_COOKIE_NAME
    session = client_of(make_user(Role.MARKETER)).cookies[name].value
    host = urlsplit(base_url).hostname or ""
    page.context.add_cookies([{"name": name, "value": session, "domain": host, "path": "/"}])
    page.emulate_media(reduced_motion="reduce")
    yield page
    assert complaints == []


@pytest.fixture
def stranger(browser: Browser, base_url: str) -> Iterator[Page]:
    """Open pages as somebody without a session, and without scripts."""
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    yield context.new_page()
    assert context.cookies() == []
    context.close()


def watch(page: Page) -> list[str]:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    return complaints


def assert_accessible(page: Page) -> None:
    """Check the page with axe, and that it fits a desk and a phone."""
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.set_viewport_size({"width": 1440, "height": 900})


def fill_in(page: Page, form: CaptureForm, **answers: str) -> None:
    page.goto(f"/f/{form.slug}/")
    for name, answer in answers.items():
        page.locator(f"[name={name}]").fill(answer)
    page.wait_for_timeout(READING)
    page.locator("form button").click()


def test_a_form_is_built_published_and_filled_in_by_a_stranger(desk: Page, stranger: Page) -> None:
    desk.goto("/content/forms/")
    assert_accessible(desk)
    desk.get_by_role("link", name="New form").first.click()
    desk.get_by_label("Name").fill("Downtime guide")
    desk.get_by_label("Address").fill("downtime-guide")
    assert_accessible(desk)
    desk.get_by_role("button", name="Begin").click()
    desk.get_by_label("Another field").select_option("country")
    desk.get_by_role("button", name="Add field").click()
    desk.get_by_role("button", name="Move Country up").click()
    desk.get_by_label("Consent text").fill("Yes, send me mail.")
    expect(desk.locator("#form-preview")).to_contain_text("Yes, send me mail.")
    assert_accessible(desk)
    desk.get_by_role("button", name="Publish v1").click()
    expect(desk.get_by_text("Downtime guide v1 is what strangers see")).to_be_visible()

    form = CaptureForm.objects.get()
    fill_in(stranger, form, email="ines@kesterwald.example", first_name="Ines")
    expect(stranger.get_by_text("Thank you.")).to_be_visible()
    stranger.reload()

    assert Submission.objects.count() == 1
    lead = Lead.objects.get()
    desk.goto(f"/content/forms/{form.pk}/sent/")
    assert_accessible(desk)
    desk.get_by_role("link", name="Ines").click()
    expect(desk.get_by_text("Form downtime-guide")).to_be_visible()
    assert desk.url.endswith(f"/leads/{lead.pk}/")
    expect(desk.get_by_role("heading", name="Consent")).to_be_visible()
    assert_accessible(desk)


def test_mistakes_are_told_beside_their_fields_and_the_focus_is_on_the_first(page: Page) -> None:
    complaints = watch(page)
    form = make_form()
    page.goto(f"/f/{form.slug}/")
    assert_accessible(page)
    page.set_viewport_size({"width": 360, "height": 500})
    top = page.get_by_role("heading", level=1).bounding_box()
    assert top is not None
    assert top["y"] > 0

    page.locator("[name=first_name]").fill("Ines")
    page.locator("[name=email]").fill("ines@")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("Nothing is sent yet.")
    expect(page.locator("[name=email]")).to_be_focused()
    expect(page.locator("[name=first_name]")).to_have_value("Ines")
    assert_accessible(page)
    assert complaints == []


def test_people_neither_see_nor_reach_the_trap(page: Page) -> None:
    page.goto(f"/f/{make_form().slug}/")
    seen = page.locator("[name=fax]").bounding_box()
    assert seen is not None
    assert seen["x"] + seen["width"] < 0
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || ''"))
    assert "email" in reached
    assert "fax" not in reached
    assert page.get_by_role("textbox", name="Leave this empty").count() == 0


def test_a_form_in_a_frame_of_another_site_works(page: Page, base_url: str, site: Site) -> None:
    form = make_form(embed_origins=[site.origin], redirect_url=f"{site.origin}/next")
    other = make_form()
    frame = f"<iframe src='{base_url}/f/{{}}/?embed=1' width=500 height=800></iframe>"
    site.pages["/guide"] = frame.format(form.slug) + frame.format(other.slug)
    page.goto(f"{site.origin}/guide")

    inner = page.frame_locator("iframe").first
    inner.locator("[name=email]").fill("ines@kesterwald.example")
    assert page.frame_locator("iframe").nth(1).locator("[name=email]").count() == 0
    page.wait_for_timeout(READING)
    inner.get_by_role("button", name="Send").click()
    inner.get_by_role("link", name="Continue").click()

    expect(page.get_by_role("heading", name="/next")).to_be_visible()
    kept = Submission.objects.get()
    assert (kept.state, kept.page_url) == ("ACCEPTED", f"{site.origin}/")


def test_a_form_that_leads_away_does_in_a_browser(page: Page, site: Site) -> None:
    complaints = watch(page)
    fill_in(page, make_form(redirect_url=f"{site.origin}/next"), email="ines@x.example")
    expect(page.get_by_role("heading", name="/next")).to_be_visible()
    assert complaints == []


def test_a_newsletter_is_confirmed_by_pressing_a_button(stranger: Page) -> None:
    form = make_newsletter()
    stranger.goto(f"/f/{form.slug}/")
    stranger.locator("[name=email]").fill("ines@kesterwald.example")
    stranger.get_by_label("Yes, send me mail about downtime").check()
    stranger.wait_for_timeout(READING)
    stranger.get_by_role("button", name="Send").click()
    expect(stranger.get_by_text("Please look into your mailbox")).to_be_visible()

    dispatch_outbox(now=timezone.now())
    link = next(line for line in str(mail.outbox[0].body).splitlines() if "/confirm/" in line)
    stranger.goto(urlsplit(link).path)
    assert not Lead.objects.exists()
    stranger.get_by_role("button", name="Yes, this was me").click()

    expect(stranger.get_by_text("Thank you.")).to_be_visible()
    assert Lead.objects.get().consents.get().is_granted


def test_what_strangers_write_is_text_everywhere(desk: Page, page: Page) -> None:
    lead = make_lead(email="ines@kesterwald.example", company_name="Kesterwald")
    form = make_form()
    hostile = {"page_url": f"https://x.example/{SCRIPT}",
               "touch": {"source": SCRIPT, "campaign": SCRIPT, "referrer": SCRIPT}}  # fmt: skip
    for arrival in (hostile, {**hostile, "trap": "x"}):
        send(form, now=timezone.now(), first_name=SCRIPT, company_name=SCRIPT[:200],
             arrival=arrival)  # fmt: skip
    send(form, now=timezone.now(), email="otto@x.example", first_name=SCRIPT[:100],
         company_name=SCRIPT[:200], arrival=hostile)  # fmt: skip

    for address in (
        f"/leads/{lead.pk}/",
        f"/leads/{Lead.objects.get(email='otto@x.example').pk}/",
        "/leads/",
        f"/content/forms/{form.pk}/sent/",
        f"/content/forms/{form.pk}/sent/?state=REFUSED",
        f"/f/{form.slug}/?baton_id={SCRIPT}&page={SCRIPT}&utm_source={SCRIPT}",
    ):
        desk.goto(address)
        assert desk.title() != "owned"
        assert desk.locator("img[src=x]").count() == 0

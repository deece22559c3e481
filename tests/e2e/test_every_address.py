"""Every address of the access matrix in a browser: accessible in both themes, and narrow.

Each is looked at as the first of its roles: the others see the same parts, or fewer of them. Pages
full of data are looked at by ``test_every_page``; here they are as empty as an address may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page

from tests.access import Row
from tests.e2e.looks import ANSWERS, DESK, OF_COLOUR, PHONE, overflow, violations
from tests.factories import client_of, make_user
from tests.shell.test_access_matrix import rows

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PAGES = [row for row in rows() if row.method == "get" and row.roles]
#: Elements that the keyboard reaches and that show no ring; the ring may be on what holds them.
WITHOUT_RING = """() => {
  const faults = [];
  const name = (element) => element.outerHTML.slice(0, 120);
  const isShown = (element) => {
    const { outlineStyle, boxShadow } = getComputedStyle(element);
    return outlineStyle !== "none" || boxShadow !== "none";
  };
  for (const element of document.querySelectorAll("#content :is(a, button, input, select)")) {
    if (element.disabled || element.tabIndex < 0 || !element.checkVisibility()) continue;
    element.focus({ focusVisible: true, preventScroll: true });
    if (document.activeElement !== element) continue;
    const near = [element.parentElement, element.closest("label"), element.nextElementSibling];
    const isSeen = [element, ...near.filter(Boolean)].some(isShown);
    if (!isSeen) faults.push(`no ring: ${name(element)}`);
  }
  for (const element of document.querySelectorAll("[tabindex]")) {
    if (element.tabIndex > 0) faults.push(`out of order: ${name(element)}`);
  }
  return faults;
}"""


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """Open one window for all addresses: a new one for each would take longer than to look."""
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.name)
def test_the_address_is_accessible(window: Page, base_url: str, row: Row) -> None:
    viewer = make_user(row.roles[0], sales_team=None)
    address = reverse(row.name, kwargs=row.own(viewer))
    client = client_of(viewer)

    if is_page(client, address):
        assert faults_of(window, base_url, client, address) == []


def is_page(client: Client, address: str) -> bool:
    """Say whether an address answers with a whole page: no file, no part of one."""
    answer = client.get(address, headers={"accept": "text/html"})
    if answer.streaming:
        answer.close()
        return False
    is_html = answer.status_code in ANSWERS and "text/html" in answer["Content-Type"]
    return is_html and "<html" in answer.content.decode()


def faults_of(window: Page, base_url: str, client: Client, address: str) -> list[str]:
    """Return what cannot be used of a page, by eye, by reader or by keyboard."""
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    host = urlsplit(base_url).hostname or ""
    window.context.clear_cookies()
    window.context.add_cookies(
        [{"name": cookie.key, "value": cookie.value, "domain": host, "path": "/"}]
    )
    window.emulate_media(color_scheme="light", reduced_motion="reduce")
    window.set_viewport_size(DESK)
    window.goto(f"{base_url}{address}")
    faults = violations(window) + list(window.evaluate(WITHOUT_RING))
    window.emulate_media(color_scheme="dark", reduced_motion="reduce")
    faults += [f"dark, {each}" for each in violations(window, OF_COLOUR)]
    window.set_viewport_size(PHONE)
    faults += overflow(window, PHONE)
    # A page that goes on asking would move to the login page once its reader is gone, in the middle
    # of the next test: it is left while there is a reader. A file of ours keeps the process.
    window.goto(f"{base_url}{static('img/favicon.svg')}")
    return faults

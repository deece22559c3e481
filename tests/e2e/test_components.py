"""The page of components in a real browser: accessible, within the policy, and alive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, Route, ViewportSize, expect

from crm.accounts.enums import Role
from tests.e2e.looks import violations
from tests.factories import client_of, make_user

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PICTURES = Path(settings.BASE_DIR) / ".baton" / "pictures" / "components"
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def components(page: Page, base_url: str) -> Iterator[Page]:
    """Open the page of components as staff; whatever breaks the policy fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    session = client_of(make_user(Role.ADMIN)).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": session.value,
                "domain": urlsplit(base_url).hostname or "",
                "path": "/",
            }
        ]
    )
    page.clock.install()
    page.goto(reverse("shell:components"))
    yield page
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_component_is_accessible_in_both_themes_and_sizes(
    components: Page, scheme: Any, size: Any, request: pytest.FixtureRequest
) -> None:
    components.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    components.set_viewport_size(size)

    found = violations(components)
    components.screenshot(path=PICTURES / f"{request.node.callspec.id}.png", full_page=True)

    assert found == []


def test_nothing_is_wider_than_a_phone(components: Page) -> None:
    components.set_viewport_size({"width": 360, "height": 740})

    too_wide = components.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert too_wide <= 0


def test_keys_move_through_the_rows_and_select_them(components: Page) -> None:
    components.keyboard.press("j")
    components.keyboard.press("j")
    components.keyboard.press("x")

    expect(components.locator("#row-2 [data-open]")).to_be_focused()
    expect(components.locator("#row-2 [data-select]")).to_be_checked()
    expect(components.locator("[data-bulk-count]")).to_have_text("1 selected")
    expect(components.locator("[data-bulk-bar]")).to_be_visible()


def test_keys_are_letters_while_a_field_has_the_focus(components: Page) -> None:
    components.get_by_label("Date").fill("")
    components.keyboard.type("jx?")

    expect(components.get_by_label("Date")).to_have_value("jx?")
    expect(components.locator("#keys-help")).to_be_hidden()


def test_the_whole_result_can_be_chosen_and_let_go_again(components: Page) -> None:
    components.get_by_label("Select all on this page").check()
    components.get_by_role("button", name="Select all 128").click()

    expect(components.locator("[data-bulk-scope]")).to_have_value("all")
    expect(components.locator("[data-bulk-count]")).to_have_text("128 selected")

    components.get_by_role("button", name="Clear selection").click()

    expect(components.locator("[data-bulk-scope]")).to_have_value("chosen")
    expect(components.locator("[data-bulk-bar]")).to_be_hidden()


def test_help_lists_the_keys_of_the_page(components: Page) -> None:
    components.keyboard.press("?")

    expect(components.get_by_role("dialog", name="Keyboard")).to_be_visible()
    expect(components.locator("[data-page-keys]")).to_contain_text("Search leads, companies")


def test_help_shows_keys_on_a_phone_too_and_names_without_counts(components: Page) -> None:
    components.set_viewport_size(PHONE)
    components.locator(".nav-entry").first.evaluate(
        "entry => { entry.dataset.key = 'g z'; entry.append(' '); "
        "entry.insertAdjacentHTML('beforeend', '<span class=\"count\">7</span><kbd>z</kbd>'); }"
    )
    name = components.locator(".nav-entry .nav-label").first.text_content()

    components.keyboard.press("?")

    keys = components.locator("[data-page-keys]")
    expect(keys.locator("dt", has_text="gz").locator("kbd").first).to_be_visible()
    expect(keys.locator("dt:has-text('gz') + dd")).to_have_text(str(name))


def test_the_slash_goes_to_the_search(components: Page) -> None:
    components.keyboard.press("/")

    expect(components.get_by_role("searchbox")).to_be_focused()


def test_a_clock_runs_on_without_the_server_and_says_that_it_broke(components: Page) -> None:
    badge = components.locator(".specimen .clock-badge[data-clock='Accept']").first
    expect(badge).to_contain_text("min left")

    components.clock.fast_forward("22:00")

    expect(badge).to_contain_text("1 min over")
    expect(badge).to_have_class("clock-badge is-breached")
    expect(components.locator("#announcer")).to_have_text("Accept clock breached")


def test_a_theme_that_was_chosen_beats_that_of_the_device(components: Page) -> None:
    components.emulate_media(color_scheme="light", reduced_motion="reduce")
    components.locator(".sidebar-user > button").click()
    components.get_by_role("button", name="Dark").click()

    background = components.evaluate("getComputedStyle(document.body).backgroundColor")

    assert background == "rgb(14, 16, 19)"


def test_a_phone_reaches_the_whole_navigation_from_its_tabs(components: Page) -> None:
    components.set_viewport_size(PHONE)
    expect(components.locator("#sidebar")).to_be_hidden()

    components.get_by_role("button", name="More", exact=True).last.click()

    expect(components.get_by_role("navigation", name="Main", exact=True)).to_be_visible()


def answer_saving_with(page: Page, answer: Callable[[Route], None]) -> None:
    page.route(
        lambda url: urlsplit(url).path == reverse("shell:components"),
        lambda route: answer(route) if route.request.method == "POST" else route.continue_(),
    )


def test_what_could_not_be_saved_is_kept_here_and_saved_later(components: Page) -> None:
    state = components.locator("[data-save-text]")
    answer_saving_with(components, lambda route: route.abort())
    components.get_by_label("Date").fill("Fri 22 May 2026")
    components.get_by_label("Date").blur()
    expect(state).to_have_text("Not saved yet, kept on this device")

    answer_saving_with(components, lambda route: route.fulfill(status=204))
    components.reload()

    expect(components.get_by_label("Date")).to_have_value("Fri 22 May 2026")
    expect(state).to_contain_text("Saved ")
    assert components.evaluate("localStorage.length") == 0


def test_a_session_that_ended_leads_to_the_login_and_back(components: Page) -> None:
    components.context.clear_cookies()

    components.get_by_role("button", name="Notifications").click()

    components.wait_for_url(
        f"**{reverse('account_login')}?next={quote(reverse('shell:components'), safe='')}"
    )

"""People at their browsers."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser, Page

from crm.accounts.models import User
from tests.factories import PASSWORD

PICTURES = Path(settings.BASE_DIR) / ".baton" / "pictures" / "journey"


class Desk:
    """One person's browser: logs in as people do, and collects what the policy refuses."""

    def __init__(
        self, browser: Browser, base_url: str, user: User, *, password: str = PASSWORD
    ) -> None:
        """Log in through the page."""
        self.page: Page = browser.new_context(
            base_url=base_url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        ).new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self._hear(said.text))
        self.page.goto(reverse("account_login"))
        self.page.locator("input[name=login]").fill(user.email)
        self.page.locator("input[name=password]").fill(password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "login" not in url)

    def _hear(self, said: str) -> None:
        if "Content Security Policy" in said:
            self.complaints.append(said)

    def picture(self, name: str) -> None:
        """Keep what the page looks like."""
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def leave(self) -> None:
        """Close the browser; nothing may have been refused or have failed in it."""
        self.page.context.close()
        assert self.complaints == []

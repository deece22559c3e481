"""A website with the tracker on it, in a real browser, against a real collector."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from playwright.sync_api import Page, Request

from engagement.models import InboxMessage
from tests.collecting import Collector


class Site:
    """A website with the tracker; any path shows ``body``."""

    def __init__(self, page: Page, collector: Collector, url: str) -> None:
        self.page, self.collector, self.url = page, collector, url
        self.attributes = ""
        self.body = ""
        self.faults: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._note)

    def open(self, path: str = "/", **more: Any) -> None:
        self.page.goto(f"{self.url}{path}", **more)

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)

    def heard(self, count: int) -> list[dict[str, Any]]:
        """Return what the collector has once it has ``count`` messages, in the order of sending."""
        self.wait(lambda: len(self.stored()) >= count)
        return self.stored()

    def stored(self) -> list[dict[str, Any]]:
        """Return what will be absorbed: of a message that was sent again, one.

        What the site of the test before sent again while it was left may come now: it is not ours.
        """
        bodies = InboxMessage.objects.order_by("id").values_list("body", flat=True)
        once = {body["messageId"]: body for body in bodies if self._is_ours(body)}
        return sorted(once.values(), key=lambda body: body["timestamp"])

    def silent(self) -> bool:
        """Say whether the browser sent the collector nothing but asked for the script."""
        self.page.wait_for_timeout(700)
        return not self.asked and not self.stored()

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait while the browser works: what it intercepts comes here."""
        deadline = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < deadline, self.stored()
            self.page.wait_for_timeout(50)

    @property
    def html(self) -> str:
        script = f'<script defer src="{self.collector.url}/baton.js" data-key="KEY"'
        return (
            f"<!DOCTYPE html><title>Spare parts</title>{script} {self.attributes}></script>"
            f"<body>{self.body}"
        )

    def _is_ours(self, body: dict[str, Any]) -> bool:
        return str(body["context"]["page"]["url"]).startswith(f"{self.url}/")

    def _note(self, request: Request) -> None:
        if "/v1/" in request.url:
            self.asked.append(request.url)


class Pages(BaseHTTPRequestHandler):
    """Answers every path with the page of the site."""

    site: Site

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.site.html.encode())

    def log_message(self, *_: object) -> None:
        pass


def names(messages: list[dict[str, Any]]) -> list[str]:
    return [str(body.get("event") or body["type"]) for body in messages]

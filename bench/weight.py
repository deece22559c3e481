"""Kilobytes that a page takes over the wire, cold and warm, and how much of it moves at loading.

Run it from the root of the repository: ``python -m bench.weight [--leads 10000]``. Starts the web
process as ``up`` does, on a database like those of ``bench.lists``, and opens each page in the
machine's Chromium: first with an empty cache, then again. Targets: cold at most 350 kB, warm at
most 40 kB, both compressed; a layout shift of 0.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.company import seed
from bench.lists import DATABASE, ROOT, await_port, cookie_of, free_port
from bench.seed import database, start_django
from crm.embedded.children import programs

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

RESULTS = Path(__file__).parent / "results" / "weight.jsonl"
COLD, WARM, STILL = 350, 40, 0.0005  # a shift below is of half a pixel
PAGES = {
    "MARKETER": [
        "/leads/?view=all",
        "/leads/{lead}/",
        "/leads/{lead}/score/",
        "/reports/funnel/",
        "/scoring/",
        "/scoring/quality/",
        "/scoring/releases/",
        "/scoring/predictive/",
        "/scoring/{version}/back-test/",
        "/content/",
        "/tracking/",
    ],
    "REP": ["/queue/", "/numbers/"],
    "MANAGER": [
        "/today/",
        "/reports/sla/",
        "/reports/answers/",
        "/queue/team/",
        "/queue/board/",
        "/handoffs/{handoff}/",
        "/handoffs/{handoff}/bant/",
        "/agreement/",
        "/calendars/{calendar}/",
        "/routing/",
    ],
}
SHIFT = """() => new Promise((done) => {
  let moved = 0;
  new PerformanceObserver((seen) => {
    for (const each of seen.getEntries()) if (!each.hadRecentInput) moved += each.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(moved), 500);
})"""


@dataclass(frozen=True)
class Weight:
    """What one page took: kilobytes with an empty and a filled cache, and its layout shift."""

    path: str
    cold: float
    warm: float
    shift: float

    @property
    def is_kept(self) -> bool:
        """Say whether the page is light enough and stands still."""
        return self.cold <= COLD and self.warm <= WARM and self.shift < STILL


def main() -> None:
    """Measure in a process of its own, since Django reads its database once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=10_000)
    parser.add_argument("--keep", action="store_true", help="keep the database and seed only once")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        sys.exit(measure(options.leads))
    os.environ.pop("BATON_TESTING", None)  # which would send files as they are
    again = [sys.executable, "-m", "bench.weight", "--measure", f"--leads={options.leads}"]
    with database(f"{DATABASE}_{options.leads}", keep=options.keep) as url:
        environment = {**os.environ, "DATABASE_URL": url}
        done = subprocess.run(again, check=False, cwd=ROOT, env=environment)
    sys.exit(done.returncode)


def measure(size: int) -> int:
    """Print and keep the weight of each page; return 1 when one is too heavy or moves."""
    start_django()
    seed(size)
    cookies, ids = {role: cookie_of_role(role) for role in PAGES}, ids_of_rows()
    with web() as port, browser() as chromium:
        weights = [
            weigh(chromium, f"http://127.0.0.1:{port}", path.format(**ids), cookies[role])
            for role, paths in PAGES.items()
            for path in paths
        ]
    report(size, weights)
    return 0 if all(each.is_kept for each in weights) else 1


def ids_of_rows() -> dict[str, int]:
    """Return whose pages stand for all of their kind: the lead is one whom a rep has reached."""
    from handoff.models import Handoff, WorkCalendar  # noqa: PLC0415 -- app ready
    from scoring.models import ScoringModel  # noqa: PLC0415 -- app ready

    handoff = Handoff.objects.open().filter(connected_at__isnull=False).earliest("id")
    return {
        "lead": handoff.lead_id,
        "handoff": handoff.pk,
        "version": ScoringModel.objects.latest("version").version,
        "calendar": WorkCalendar.objects.earliest("id").pk,
    }


def cookie_of_role(role: str) -> str:
    """Log in somebody of ``role``; of reps the one with the longest queue."""
    from django.db.models import Count, Q  # noqa: PLC0415 -- app ready

    from crm.accounts.models import User  # noqa: PLC0415 -- app ready

    held = Count("handoffs", filter=Q(handoffs__closed_at=None))
    people = User.objects.filter(is_active=True, roles=[role]).annotate(held=held)
    return cookie_of(people.order_by("-held", "id")[0])


@contextmanager
def web() -> Iterator[int]:
    """Run the web process with its files collected and compressed, and yield its port."""
    from django.core.management import call_command  # noqa: PLC0415 -- app ready

    call_command("collectstatic", verbosity=0, interactive=False)
    port = free_port()
    [program] = (each for each in programs(port=port, collector_port=0) if each.name == "web")
    environment = {**os.environ, "BATON_LOG_LEVEL": "ERROR"}
    server = subprocess.Popen(program.arguments, cwd=ROOT, env=environment)
    try:
        await_port(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


@contextmanager
def browser() -> Iterator[Any]:
    """Start the browser that the tests use."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- slow import

    from tests.conftest import find_chromium  # noqa: PLC0415 -- slow import

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


def weigh(chromium: Any, site: str, path: str, cookie: str) -> Weight:
    """Open a page twice in a window of its own."""
    context = chromium.new_context(
        base_url=site, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": site}])
    cold, shift = load(context, path)
    warm, _ = load(context, path)
    context.close()
    return Weight(path, cold, warm, shift)


def load(context: BrowserContext, path: str) -> tuple[float, float]:
    """Return the kilobytes that came over the wire, and the layout shift."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    answer = page.goto(path, wait_until="networkidle")
    if answer is None or answer.status != 200:
        sys.exit(f"{path} answered {answer and answer.status}")
    shift = float(page.evaluate(SHIFT))
    page.close()
    return sum(sizes) / 1000, shift


def report(size: int, weights: list[Weight]) -> None:
    """Print the table and append it to the results as one JSON line."""
    print(f"{'page':28} {'cold kB':>9} {'warm kB':>9} {'shift':>7}")
    for each in weights:
        verdict = "" if each.is_kept else "  too much"
        print(f"{each.path:28} {each.cold:9.1f} {each.warm:9.1f} {each.shift:7.3f}{verdict}")
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        kept.write(json.dumps({"leads": size, "pages": [asdict(each) for each in weights]}) + "\n")


if __name__ == "__main__":
    main()

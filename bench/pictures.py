"""Takes the pictures of the main pages in ``docs/screens``.

Run it from the root of the repository: ``python -m bench.pictures``. Makes the demo company of
this minute in a database of its own, starts the web process as ``up`` does, and opens each page
in the machine's Chromium.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.company import seed
from bench.lists import ROOT
from bench.seed import database, start_django
from bench.weight import browser, cookie_of_role, ids_of_rows, web

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "docs" / "screens"
LEADS = 3000
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def _as_it_is(_page: Page) -> None:
    """Look at the page as it opens."""


def _with_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("ne")
    page.get_by_role("option").first.wait_for()


@dataclass(frozen=True)
class Picture:
    """One picture: whose page, at which address, in which look."""

    name: str
    role: str
    path: str
    is_dark: bool = False
    is_phone: bool = False
    prepare: Callable[[Page], None] = _as_it_is


def main() -> None:
    """Take them in a process of its own, since Django reads its database once."""
    os.environ.pop("BATON_TESTING", None)
    if "--here" in sys.argv:
        take_all()
        return
    again = [sys.executable, "-m", "bench.pictures", "--here"]
    with database("baton_bench_pictures", keep=False) as url:
        subprocess.run(again, check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": url})


def take_all() -> None:
    """Make the company, whose deadlines are those of today, and take each picture."""
    start_django()
    seed(LEADS)
    beat_all()
    pictures = pictures_of()
    cookies = {role: cookie_of_role(role) for role in {each.role for each in pictures}}
    FOLDER.mkdir(exist_ok=True)
    with web() as port, browser() as chromium:
        for each in pictures:
            take(chromium, f"http://127.0.0.1:{port}", each, cookies[each.role])


def beat_all() -> None:
    """Let no page warn that loops stand still: none runs beside the pictures."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from crm.common import health  # noqa: PLC0415 -- app ready
    from crm.shell.health import LOOPS  # noqa: PLC0415 -- app ready

    for loop in LOOPS:
        health.beat(loop, timezone.now())


def pictures_of() -> list[Picture]:
    """Return the pictures, with the ids of this company."""
    ids = ids_of_rows()
    lead, bant = f"/leads/{ids['lead']}/", f"/handoffs/{ids['handoff']}/bant/"
    return [
        Picture("queue", "REP", "/queue/"),
        Picture("queue-dark", "REP", "/queue/", is_dark=True),
        Picture("queue-phone", "REP", "/queue/", is_phone=True),
        Picture("palette", "REP", "/queue/", prepare=_with_palette),
        Picture("leads", "MARKETER", "/leads/?view=all"),
        Picture("leads-phone", "MARKETER", "/leads/?view=all", is_phone=True),
        Picture("lead", "MANAGER", lead),
        Picture("bant", "MANAGER", bant),
        Picture("bant-phone", "MANAGER", bant, is_phone=True),
        Picture("today", "MANAGER", "/today/"),
        Picture("today-phone", "MANAGER", "/today/", is_phone=True, is_dark=True),
        Picture("sla", "MANAGER", "/reports/sla/?period=quarter"),
        Picture("board", "MANAGER", "/queue/board/"),
        Picture("funnel", "MARKETER", "/reports/funnel/"),
        Picture("scoring", "MARKETER", "/scoring/"),
        Picture("agreement", "MANAGER", "/agreement/"),
    ]


def take(chromium: Any, site: str, picture: Picture, cookie: str) -> None:
    """Open the page in a window of its own and keep what it shows."""
    context = chromium.new_context(
        base_url=site,
        viewport=PHONE if picture.is_phone else DESK,
        color_scheme="dark" if picture.is_dark else "light",
        reduced_motion="reduce",
    )
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": site}])
    page = context.new_page()
    answer = page.goto(picture.path, wait_until="networkidle")
    if answer is None or answer.status != 200:
        sys.exit(f"{picture.path} answered {answer and answer.status}")
    picture.prepare(page)
    page.screenshot(path=Path(FOLDER, f"{picture.name}.png"))
    context.close()
    print(f"docs/screens/{picture.name}.png")


if __name__ == "__main__":
    main()

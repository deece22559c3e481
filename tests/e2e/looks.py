"""A page as people may see it: in both themes, and at several widths."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

DESK: ViewportSize = {"width": 1440, "height": 900}
TABLET: ViewportSize = {"width": 768, "height": 1024}
PHONE: ViewportSize = {"width": 360, "height": 740}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
Look = tuple[Literal["light", "dark"], ViewportSize]
LOOKS: list[Look] = list(product(THEMES, (DESK, PHONE)))
ANSWERS = {200, 410, 503}  # ended links; health, while no loop runs


def faults(page: Page, address: str, *, looks: Iterable[Look]) -> list[str]:
    """Open a page in each look; return what no reader of the screen can use, and what overflows."""
    faults: list[str] = []
    for scheme, size in looks:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size(size)
        answer = page.goto(address)
        if answer is None or answer.status not in ANSWERS:
            return [f"answered {answer and answer.status}"]
        violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
        faults += [
            f"{scheme}, {one['id']}: {node['html']}" for one in violations for node in one["nodes"]
        ]
        faults += overflow(page, size)
    return faults


def overflow(page: Page, size: ViewportSize) -> list[str]:
    """Return how much wider than the window the page is."""
    width = page.evaluate("document.documentElement.scrollWidth")
    return [f"{width} px wide at {size['width']}"] if width > size["width"] else []

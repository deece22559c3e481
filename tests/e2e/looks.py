"""A page as people may see it: in both themes, and at several widths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

DESK: ViewportSize = {"width": 1440, "height": 900}
TABLET: ViewportSize = {"width": 768, "height": 1024}
PHONE: ViewportSize = {"width": 360, "height": 740}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
Look = tuple[Literal["light", "dark"], ViewportSize]
LOOKS: list[Look] = [(theme, size) for size, theme in product((DESK, PHONE), THEMES)]
#: The rules that colours decide. A theme changes nothing but colours (``light-dark()`` in app.css),
#: so no other rule can find in one theme what it did not find in the other.
OF_COLOUR = ("color-contrast", "link-in-text-block")
ANSWERS = {200, 410, 503}  # ended links; health, while no loop runs


def faults(page: Page, address: str, *, looks: Iterable[Look]) -> list[str]:
    """Open a page in each look; return what no reader of the screen can use, and what overflows.

    It is loaded once for each width, as scripts look at that; its theme follows the system's.
    """
    faults: list[str] = []
    loaded: ViewportSize | None = None
    for scheme, size in looks:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        rules: Sequence[str] = OF_COLOUR
        if size != loaded:
            page.set_viewport_size(size)
            answer = page.goto(address)
            if answer is None or answer.status not in ANSWERS:
                return [f"answered {answer and answer.status}"]
            loaded, rules = size, ()
        faults += [f"{scheme}, {each}" for each in violations(page, rules)]
        faults += overflow(page, size)
    return faults


def violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Return what axe finds as ``rule: element``: by the rules named, else by all of its own."""
    if not page.evaluate("'axe' in window"):
        script = Axe().axe_script
        page.evaluate(script)
        page.add_init_script(script)  # what it loads next has it in a third of the time
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    # What is in order is left in the browser: bringing it here takes longer than some checks.
    run = "options => axe.run(options).then(results => results.violations)"
    found: list[dict[str, Any]] = page.evaluate(run, options)
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def overflow(page: Page, size: ViewportSize) -> list[str]:
    """Return how much wider than the window the page is."""
    width = page.evaluate("document.documentElement.scrollWidth")
    return [f"{width} px wide at {size['width']}"] if width > size["width"] else []

"""The looks at a page themselves: they find what is wrong in one theme or at one width alone."""

import pytest
from playwright.sync_api import Page

from tests.e2e.looks import LOOKS, faults

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

DARK_ON_DARK = """<!doctype html><html lang="en"><title>Page</title>
<style>:root { color-scheme: light dark; background: light-dark(white, black) }
p { color: light-dark(black, #222) } main { min-width: 600px }</style>
<main><h1 style="color: light-dark(black, white)">Page</h1><p>Words</p></main>"""


def test_what_is_wrong_in_one_theme_or_at_one_width_is_found(page: Page) -> None:
    page.route("**/*", lambda route: route.fulfill(body=DARK_ON_DARK, content_type="text/html"))

    found = faults(page, "/", looks=LOOKS)

    too_dark = "dark, color-contrast: <p>Words</p>"
    assert [each for each in found if "wide at" not in each] == [too_dark, too_dark]
    assert len([each for each in found if each.endswith("wide at 360")]) == 2
    assert not [each for each in found if each.endswith("wide at 1440")]

"""What every test may use: the test database, and the browser wherever this machine has one."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoDbBlocker

NO_BROWSER = (
    "no Chromium found: install one (Debian: apt install chromium),"
    " or name its program in BATON_CHROMIUM"
)


def find_chromium() -> str | None:
    """Return the path of a Chromium: the one named by the environment, or one on the PATH."""
    named = os.environ.get("BATON_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("google-chrome")


def pytest_configure() -> None:
    """Have a folder of collected files: WhiteNoise warns without, and warnings are errors here."""
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser tests last.

    From its first use on, Playwright keeps an event loop in the main thread, and where a loop runs
    Django's ORM refuses to work unless told otherwise.
    """
    items.sort(key=_needs_browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let browser tests and their fixtures use the ORM: the event loop waits meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        if _needs_browser(item):
            patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a browser, skip the tests that need one; fail them where one is required."""
    if _needs_browser(item) and not find_chromium():
        if os.environ.get("BATON_REQUIRE_BROWSER") == "1":
            pytest.fail(NO_BROWSER, pytrace=False)
        pytest.skip(NO_BROWSER)


def _needs_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("e2e") is not None


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let tests with real transactions empty the event log, which is guarded against just that.

    Such tests are cleaned up by TRUNCATE. The guard has a test of its own, which switches it on.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE engagement_event DISABLE TRIGGER engagement_event_no_truncate")


@pytest.fixture(scope="session", autouse=True)
def media(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Keep files that tests upload away from those of the developer."""
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media")):
        yield


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Launch the machine's own Chromium, alone and quiet."""
    return {
        "executable_path": find_chromium(),
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
        ],
    }


@pytest.fixture(scope="session")
def playwright(django_db_setup: None, playwright: Any) -> Any:
    """Start Playwright after the test database: so the database ends after the event loop."""
    return playwright


@pytest.fixture(scope="session")
def base_url(live_server: Any) -> str:
    """Open relative addresses on the live server: ``page.goto("/leads/")``."""
    url: str = live_server.url
    return url

"""What every test may use: the test database, and the browser wherever this machine has one."""

import faulthandler
import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import pytest_timeout
from _pytest.faulthandler import fault_handler_stderr_fd_key as terminal
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase, override_settings
from playwright.sync_api import BrowserContext
from pytest_django import DjangoDbBlocker

from tests.emptying import empty_database, may_pass_by_guards
from tests.side_by_side import FileByFile

NO_BROWSER = (
    "no Chromium found: install one (Debian: apt install chromium-headless-shell),"
    " or name its program in BATON_CHROMIUM"
)

beside_browser = pytest.StashKey[bool]()  # whether a test stands in a file with browser tests


#: The first is the same browser without the desktop's windows: a third less work for each page.
CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")


def find_chromium() -> str | None:
    """Return the path of a Chromium: the one named by the environment, or one on the PATH."""
    on_path = (shutil.which(name) for name in CHROMIUMS)
    return os.environ.get("BATON_CHROMIUM") or next(filter(None, on_path), None)


def pytest_configure() -> None:
    """Have a folder of collected files: WhiteNoise warns without, and warnings are errors here."""
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files with browser tests last.

    From its first use on, Playwright keeps an event loop in the main thread, and where a loop runs
    Django's ORM refuses to work unless told otherwise.
    """
    files = {item.path for item in items if _needs_browser(item)}
    for item in items:
        item.stash[beside_browser] = item.path in files
    items.sort(key=lambda item: item.stash[beside_browser])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let tests use the ORM beside the browser's event loop, which waits meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        if item.stash[beside_browser]:
            patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a browser, skip the tests that need one; fail them where one is required."""
    if _needs_browser(item) and not find_chromium():
        if os.environ.get("BATON_REQUIRE_BROWSER") == "1":
            pytest.fail(NO_BROWSER, pytrace=False)
        pytest.skip(NO_BROWSER)


def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> bool | None:
    """End the process when a browser test hangs, with the stack of every thread.

    An exception, as other tests get it, would leave Playwright between two steps, and so break
    every browser test after this one. Processes that run side by side are replaced when they end.
    """
    if not _needs_browser(item):
        return None
    faulthandler.dump_traceback_later(settings.timeout, exit=True, file=item.config.stash[terminal])
    item.cancel_timeout = faulthandler.cancel_dump_traceback_later  # type: ignore[attr-defined]
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Set a limit to the clearing up, too: once a test has failed there is none any more."""
    hooks = item.config.hook
    hooks.pytest_timeout_cancel_timer(item=item)
    hooks.pytest_timeout_set_timer(item=item, settings=pytest_timeout._get_item_settings(item))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileByFile:
    """Give whole files to the processes that run tests side by side."""
    return FileByFile(config, log)


def _needs_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("e2e") is not None


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let tests with real transactions empty the event log, which is guarded against just that.

    Such tests are cleaned up by TRUNCATE. The guard has a test of its own, which switches it on.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE engagement_event DISABLE TRIGGER engagement_event_no_truncate")
        if may_pass_by_guards():
            TransactionTestCase._fixture_teardown = empty_database  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def _vacuumed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    """Give back what thousands of rows took that were rolled back: plans depend on it."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE leads_lead, scoring_leadscore")


@pytest.fixture
def many_leads(_vacuumed: None, db: None) -> None:
    """Make thousands of leads, see ``make_many_leads``."""
    from tests.many_leads import make_many_leads

    make_many_leads()


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Keep files that tests upload away from those of the developer; hash passwords quickly."""
    hashers = ["tests.hashing.QuickHasher", *settings.PASSWORD_HASHERS]
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media"), PASSWORD_HASHERS=hashers):
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


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    """Let nothing that a page is asked for take longer than 20 s."""
    context.set_default_timeout(20_000)
    return context


@pytest.fixture(scope="session")
def base_url(live_server: Any) -> str:
    """Open relative addresses on the live server: ``page.goto("/leads/")``."""
    url: str = live_server.url
    return url

from __future__ import annotations

from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from threading import Thread

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from engagement.enums import SourceKind
from engagement.models import Source
from tests.collecting import Collector
from tests.engagement.collector.sites import Pages, Site
from tests.processes import database_url


@pytest.fixture(scope="module")
def running(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """Run one collector for all tests of a module."""
    collector = Collector(database_url(), tmp_path_factory.mktemp("spool"))
    collector.start()
    yield collector
    collector.stop()


@pytest.fixture
def collector(running: Collector, transactional_db: None) -> Collector:
    """Return the collector, with a key for a website without limits that matter."""
    make_source("site", "KEY")
    return running


@pytest.fixture
def site(page: Page, collector: Collector) -> Iterator[Site]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Pages.site = Site(page, collector, f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield Pages.site
        page.close()
        server.shutdown()


def make_source(name: str, key: str, **fields: object) -> Source:
    values = {
        "label": name.title(),
        "kind": SourceKind.WEBSITE,
        "created_at": timezone.now(),
        "rate_limit": 100_000,
        "address_rate_limit": 100_000,
        **fields,
    }
    return Source.objects.create(name=name, write_key=key, **values)

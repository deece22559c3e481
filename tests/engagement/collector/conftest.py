from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from engagement.enums import SourceKind
from engagement.models import Source
from tests.collecting import Collector
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

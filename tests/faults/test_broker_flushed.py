"""The broker forgets everything in the middle of tracking: it holds nothing that counts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from crm.embedded.location import valkey_socket
from engagement.models import Event, EventKey, InboxMessage
from tests.collecting import Collector
from tests.engagement.collector.conftest import make_source
from tests.faults.background import Background
from tests.faults.sending import Site
from tests.processes import database_url, wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

FLUSHES = 3


@pytest.fixture
def collector(background: Background, tmp_path: Path) -> Iterator[Collector]:
    make_source("site", "KEY")
    collector = Collector(database_url(), tmp_path / "spool")
    collector.start()
    yield collector
    collector.stop()


def test_a_broker_that_is_flushed_loses_and_doubles_nothing(
    background: Background, collector: Collector
) -> None:
    """Red when a wake-up absorbs only what arrived since the last: what was flushed then waits."""
    broker = redis.Redis(unix_socket_path=str(valkey_socket()))
    site = Site(collector)
    forgotten = 0
    with site.sending():
        for _ in range(FLUSHES):
            with background.paused("worker-events"):
                site.await_more()
                wait_for(lambda: broker.llen("events"))
                forgotten += broker.llen("events")
                broker.flushall()
            absorbed = EventKey.objects.count()
            wait_for(lambda absorbed=absorbed: EventKey.objects.count() > absorbed)  # type: ignore[misc]
    wait_for(lambda: not InboxMessage.objects.exists())

    assert forgotten >= FLUSHES
    assert set(EventKey.objects.values_list("message_id", flat=True)) == site.acknowledged
    assert EventKey.objects.count() == Event.objects.count() == len(site.acknowledged)

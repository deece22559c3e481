"""What goes on beside the requests, on a real database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection, transaction

from crm.common.models import Heartbeat
from engagement.collector.inbox import LOOP, Inbox
from engagement.collector.spool import Spool
from engagement.collector.upkeep import replay_oldest
from engagement.models import Source
from tests.concurrency import side_by_side
from tests.engagement.collector.conftest import make_source

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 5, 12, 8, tzinfo=UTC)
UNSTORABLE = [b"1\n", b"2\n"]


def with_inbox(act: Callable[[Inbox], Awaitable[object]]) -> None:
    """Let ``act`` talk to the database of the test as the collector does."""

    async def run() -> None:
        inbox = Inbox(connection.settings_dict)
        await inbox.open()
        try:
            await act(inbox)
        finally:
            await inbox.close()

    asyncio.run(run())


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """Return a file of the spool with rows that the database refuses."""
    spool = Spool(tmp_path, limit=10_000)
    spool.append(UNSTORABLE)
    spool.close()
    [path] = spool.segments()
    return path


def replay(path: Path) -> None:
    spool = Spool(path.parent, limit=10_000)
    with_inbox(lambda inbox: replay_oldest(spool, inbox))


def test_rows_that_the_database_refuses_are_kept_beside_the_spool(waiting: Path) -> None:
    replay(waiting)

    assert [*waiting.parent.iterdir()] == [waiting.with_suffix(".refused")]
    assert waiting.with_suffix(".refused").read_bytes() == b"".join(UNSTORABLE)


def test_rows_stay_in_the_spool_until_they_are_safe_elsewhere(waiting: Path) -> None:
    """Red without fsync: a pipe takes what is written, and cannot be synced."""
    pipe = waiting.with_suffix(".refused")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with pytest.raises(OSError, match="Invalid argument"):
        replay(waiting)

    os.close(reader)
    assert waiting.exists()


def test_a_source_that_is_noted_elsewhere_keeps_the_collector_from_nothing() -> None:
    """Red when the heartbeat waits for the row of a source, as a deadlock begins."""
    held, free = make_source("held", "HELD"), make_source("free", "FREE")
    heard = {"free": NOW, "held": NOW}

    def report() -> None:
        with_inbox(lambda inbox: inbox.report(now=NOW, heard=heard, backlog=0, oldest_due_at=None))

    with transaction.atomic():
        Source.objects.select_for_update(no_key=True).get(pk=held.pk)
        outcome = side_by_side(report)

    assert outcome == [None]
    assert Source.objects.get(pk=free.pk).last_received_at == NOW
    assert Heartbeat.objects.get(loop=LOOP).succeeded_at == NOW

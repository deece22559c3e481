"""Kills of the collector and of its own PostgreSQL, under load: acknowledged is stored, once."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crm.embedded.process import stop_together
from tests.collecting import Collector, page
from tests.embedded.conftest import own_state
from tests.faults.own_database import Database
from tests.faults.sending import KEY, Site
from tests.processes import wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the processes in /proc"),
]

# How a client learns that nobody took its request: no listener; a listener that closed before the
# connection left its queue, which resets it; the same before the first byte was written. A request
# taken and not answered would end in "RemoteDisconnected".
NOT_ACCEPTED = {"ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError"}


@pytest.fixture(scope="module")
def database(django_db_setup: None) -> Iterator[Database]:
    with own_state():
        database = Database()
        yield database
        stop_together([database.process])


@pytest.fixture
def collector(database: Database, tmp_path: Path) -> Iterator[Collector]:
    database.ask("ALTER TABLE engagement_event DISABLE TRIGGER engagement_event_no_truncate")
    database.ask(
        "TRUNCATE engagement_source, engagement_inbox, engagement_event, engagement_event_key"
    )
    database.ask(
        "INSERT INTO engagement_source (name, label, kind, write_key, allowed_origins, rate_limit,"
        " address_rate_limit, asks_consent, is_active, created_at) VALUES"
        " ('site', 'Site', 'WEBSITE', 'KEY', '{}', 100000, 100000, false, true, now())"
    )
    collector = Collector(database.url, tmp_path / "spool")
    collector.start()
    yield collector
    collector.stop()


def spooled(collector: Collector) -> list[Path]:
    return sorted(collector.spool.glob("*.spool"))


def test_a_collector_killed_in_mid_load_loses_nothing(
    database: Database, collector: Collector
) -> None:
    site = Site(collector)
    with site.sending():
        os.kill(collector.worker, signal.SIGKILL)  # the server starts another
        site.await_more()
        for _ in range(2):
            collector.kill()
            collector.start()
            site.await_more()

    assert site.failures
    assert sorted(database.absorb()) == sorted(site.acknowledged)


def test_a_collector_that_is_told_to_end_answers_what_it_accepted(
    database: Database, collector: Collector
) -> None:
    site = Site(collector, threads=16)  # so that it holds a request at whatever moment it ends
    with site.sending():
        collector.stop()
        collector.start()
        site.await_more()

    assert {*site.failures} <= NOT_ACCEPTED
    assert sorted(database.absorb()) == sorted(site.acknowledged)


def test_while_the_database_is_away_messages_wait_on_the_disk(
    database: Database, collector: Collector
) -> None:
    site = Site(collector)
    with site.sending():
        database.kill()
        site.await_more()
        assert spooled(collector)
        collector.kill()
        collector.start()  # knows its keys without a database
        site.await_more()
        health = collector.request("GET", "/health")
        database.start()
        wait_for(lambda: not spooled(collector))
        site.await_more()

    assert health.content == {"status": "spooling"}
    wait_for(lambda: not spooled(collector))
    assert sorted(database.absorb()) == sorted(site.acknowledged)


def test_a_database_that_hangs_is_as_good_as_away(database: Database, collector: Collector) -> None:
    with database.hanging():
        began = time.monotonic()
        first = collector.post("/v1/p", page(1)).status
        waited = time.monotonic() - began
        second = collector.post("/v1/p", page(2)).status
        did_not_wait = time.monotonic() - began - waited

    assert (first, second) == (200, 200)
    assert waited <= 8
    assert did_not_wait <= 1
    wait_for(lambda: not spooled(collector))
    assert sorted(database.absorb()) == ["m-1", "m-2"]


def test_a_replay_that_is_killed_doubles_nothing(database: Database, collector: Collector) -> None:
    database.kill()
    batches = [[page(batch * 100 + number) for number in range(100)] for batch in range(30)]
    replies = [collector.post("/v1/batch", {"batch": batch}).status for batch in batches]
    database.start()
    lock = psycopg.connect(database.url)
    lock.execute("LOCK TABLE engagement_event_key")  # nothing that a replay needs
    wait_for(lambda: database.ask("SELECT 1 FROM engagement_inbox LIMIT 1"))
    collector.kill()
    lock.close()

    was_killed_in_the_middle = bool(spooled(collector))
    collector.start()
    wait_for(lambda: not spooled(collector))

    assert replies == [200] * 30
    assert was_killed_in_the_middle
    assert sorted(database.absorb()) == sorted(f"m-{number}" for number in range(3000))


def test_a_full_spool_sends_clients_away_and_loses_nothing(
    database: Database, collector: Collector
) -> None:
    collector.stop()
    collector.environment["COLLECTOR_SPOOL_BYTES"] = "20000"
    collector.start()
    database.kill()

    replies = [collector.post("/v1/p", page(number)) for number in range(120)]
    health = collector.request("GET", "/health")
    database.start()
    wait_for(lambda: not spooled(collector))
    again = collector.post("/v1/p", page(999))

    accepted = [f"m-{number}" for number, reply in enumerate(replies) if reply.status == 200]
    refused = [reply for reply in replies if reply.status != 200]
    assert accepted
    assert {(reply.status, reply.code) for reply in refused} == {(503, "unavailable")}
    assert {reply.headers["retry-after"] for reply in refused} == {"2"}
    assert (health.status, again.status) == (503, 200)
    assert sorted(database.absorb()) == sorted([*accepted, "m-999"])


def test_the_same_batch_five_times_at_once_is_stored_once(
    database: Database, collector: Collector
) -> None:
    batch = {"batch": [page(number) for number in range(50)]}
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(collector.post("/v1/b", batch).status))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 5
    assert sorted(database.absorb()) == sorted(f"m-{number}" for number in range(50))


def test_a_client_cut_off_before_the_answer_may_send_again(
    database: Database, collector: Collector
) -> None:
    body = json.dumps({"batch": [page(number) for number in range(20)]})
    head = f"POST /v1/b HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY}\r\n"
    with socket.create_connection(("127.0.0.1", collector.port)) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        wait_for(lambda: database.ask("SELECT 1 FROM engagement_inbox LIMIT 1"))

    again = collector.post("/v1/b", body.encode())

    assert again.status == 200
    assert sorted(database.absorb()) == sorted(f"m-{number}" for number in range(20))


def test_one_row_that_the_database_refuses_leaves_its_neighbours_alone(
    database: Database, collector: Collector
) -> None:
    database.ask("ALTER TABLE engagement_inbox ADD CONSTRAINT poison CHECK (message_id <> 'm-13')")
    replies: dict[int, Any] = {}

    def send(first: int) -> None:
        batch = {"batch": [page(number) for number in range(first, first + 10)]}
        replies[first] = collector.post("/v1/b", batch)

    threads = [threading.Thread(target=send, args=(first,)) for first in range(0, 50, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.ask("ALTER TABLE engagement_inbox DROP CONSTRAINT poison")

    assert {first: reply.status for first, reply in replies.items()} == {
        0: 200, 10: 400, 20: 200, 30: 200, 40: 200
    }  # fmt: skip
    [refused] = replies[10].content["refused"]
    assert (refused["index"], refused["messageId"], refused["code"]) == (3, "m-13", "unstorable")
    assert len(database.absorb()) == 49

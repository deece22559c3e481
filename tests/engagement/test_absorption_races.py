"""Two sweeps at once: forced to overlap, on real connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from engagement.models import Event, EventKey, InboxMessage
from engagement.services import absorb_events, keep_partitions, receive
from engagement.signals import events_absorbed
from leads.models import Lead
from tests.engagement.inbox import HOUR, NOW, identify, message, owners


class Gate:
    """A receiver that holds the first batch open, inside its transaction, until it is released."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def __call__(self, **_: object) -> None:
        if not self.reached.is_set():
            self.reached.set()
            assert self.released.wait(20)


def overlap(first: Callable[[], object], second: Callable[[], object]) -> None:
    """Run ``second`` while ``first`` holds its transaction open.

    ``first`` goes on as soon as ``second`` is done or waits for one of its locks.
    """
    gate = Gate()
    events_absorbed.connect(gate)
    try:
        with ThreadPoolExecutor(2) as pool:
            leading = pool.submit(_with_own_connection, first)
            assert gate.reached.wait(20)
            following = pool.submit(_with_own_connection, second)
            while not following.done() and not _somebody_waits_for_a_lock():
                time.sleep(0.01)
            gate.released.set()
            leading.result(20)
            following.result(20)
    finally:
        gate.released.set()
        events_absorbed.disconnect(gate)


def _with_own_connection(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        connection.close()


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        (waits,) = cursor.fetchone() or (False,)
    return bool(waits)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_take_different_messages_and_neither_waits() -> None:
    """Red without SKIP LOCKED: the second sweep waits for the first."""
    keep_partitions(now=NOW)
    messages = [
        identify(f"m-{n}", f"lead{n}@firm{n}.example", anonymousId=f"d-{n}") for n in range(4)
    ]
    receive(source="site", messages=messages, received_at=NOW)
    events_seen_by_second: list[int] = []

    def second() -> None:
        absorb_events(now=NOW, limit=2)
        events_seen_by_second.append(Event.objects.count())

    overlap(lambda: absorb_events(now=NOW, limit=2), second)

    assert events_seen_by_second == [2]
    assert Event.objects.count() == 4
    assert not InboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_message_in_two_batches_at_once_is_one_event() -> None:
    """Red without the unique key and its ON CONFLICT: two events."""
    keep_partitions(now=NOW)
    receive(source="site", messages=[identify("m", "ada@example.com")] * 2, received_at=NOW)

    overlap(lambda: absorb_events(now=NOW, limit=1), lambda: absorb_events(now=NOW, limit=1))

    assert (Event.objects.count(), EventKey.objects.count()) == (1, 1)
    assert not InboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_history_that_is_absorbed_while_its_visitor_is_identified_is_attached() -> None:
    """Red when seeing a visitor does not lock it: the earlier event stays nobody's."""
    keep_partitions(now=NOW)
    receive(
        source="site",
        messages=[message("old"), identify("opens-the-gate", "ben@example.com", anonymousId="b")],
        received_at=NOW - HOUR,
    )
    receive(source="site", messages=[identify("new", "ada@example.com", at=NOW)], received_at=NOW)

    overlap(lambda: absorb_events(now=NOW, limit=2), lambda: absorb_events(now=NOW, limit=1))

    assert dict(owners()) == {
        "old": "ada@example.com",
        "new": "ada@example.com",
        "opens-the-gate": "ben@example.com",
    }


@pytest.mark.django_db(transaction=True)
def test_one_person_captured_on_two_devices_at_once_is_one_lead(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Red when a duplicate address is not caught: the second batch fails and is done singly."""
    keep_partitions(now=NOW)
    messages = [identify(name, "ada@example.com", anonymousId=name) for name in ("phone", "laptop")]
    receive(source="site", messages=messages, received_at=NOW)

    overlap(lambda: absorb_events(now=NOW, limit=1), lambda: absorb_events(now=NOW, limit=1))

    assert Lead.objects.count() == 1
    assert [email for _, email in owners()] == ["ada@example.com"] * 2
    assert caplog.records == []

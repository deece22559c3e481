from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from crm.common import loops, outbox
from crm.common.enums import OutboxState
from crm.common.models import OutboxMessage
from tests.processes import start_command, wait_for

NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _keep_signal_handlers() -> Iterator[None]:
    """Loops take over the signals; give them back after the test."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.django_db(transaction=True)
def test_a_round_that_fails_is_followed_by_another() -> None:
    rounds: list[datetime] = []

    def work(now: datetime) -> None:
        rounds.append(now)
        if len(rounds) == 1:
            raise ConnectionError("the database is restarting")
        signal.raise_signal(signal.SIGTERM)

    loops.run_until_stopped(work, pause=timedelta(0))

    assert len(rounds) == 2


@pytest.mark.django_db(transaction=True)
def test_a_round_with_more_to_do_is_not_followed_by_a_pause() -> None:
    answers = iter([True, True])

    def work(_now: datetime) -> bool:
        has_more = next(answers, False)
        if not has_more:
            signal.raise_signal(signal.SIGTERM)
        return has_more

    begun = time.monotonic()
    loops.run_until_stopped(work, pause=timedelta(seconds=30))

    assert time.monotonic() - begun < 10


def test_a_wake_up_works_for_as_long_as_more_is_due() -> None:
    left = iter([True, True, False])
    rounds: list[datetime] = []

    def work(now: datetime) -> bool:
        rounds.append(now)
        return next(left)

    loops.work_in_turn(work)

    assert len(rounds) == 3
    assert rounds == sorted(set(rounds)), "each round reads the clock"


def test_a_wake_up_ends_with_its_turn_however_much_is_due() -> None:
    rounds: list[datetime] = []

    def work(now: datetime) -> bool:
        rounds.append(now)
        return len(rounds) < 1_000

    loops.work_in_turn(work, at_most=timedelta(0))

    assert len(rounds) == 1


@pytest.mark.django_db(transaction=True)
def test_the_outbox_loop_delivers_and_stops_when_told() -> None:
    payload = {"to": "ines@example.com", "subject": "Hello", "text": "Hello"}
    outbox.enqueue(key="a", channel="email", payload=payload, now=NOW)
    process = start_command("dispatch_outbox", "--loop")
    try:
        wait_for(lambda: OutboxMessage.objects.get().state == OutboxState.SENT)
    finally:
        process.send_signal(signal.SIGTERM)

    process.communicate(timeout=30)
    assert process.returncode == 0

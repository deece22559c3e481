from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from crm.common import outbox
from crm.common.enums import OutboxState
from crm.common.mail import message_id
from crm.common.models import Heartbeat, OutboxMessage
from tests.concurrency import in_thread

NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]


class Sink:
    """A channel that keeps what it was given and can be told to fail, wait or die."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.failing: dict[str, Exception | type[BaseException]] = {}
        self.entered = threading.Event()
        self.may_leave = threading.Event()
        self.may_leave.set()

    def deliver(self, message: OutboxMessage) -> None:
        self.entered.set()
        assert self.may_leave.wait(30)
        if message.key in self.failing:
            raise self.failing[message.key]
        self.keys.append(message.key)


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    outbox.register_channel("sink", sink.deliver)
    outbox.register_channel("once", sink.deliver, at_most_once=True)
    yield sink
    sink.may_leave.set()


def put(key: str, *, channel: str = "sink", at: datetime = NOW, topic: str = "") -> bool:
    return outbox.enqueue(key=key, channel=channel, payload={}, now=at, topic=topic)


def state_of(key: str) -> str:
    return OutboxMessage.objects.get(key=key).state


@pytest.mark.django_db
def test_the_same_key_twice_is_one_message(sink: Sink) -> None:
    assert put("a") is True
    assert put("a") is False

    outbox.dispatch_outbox(now=NOW)

    assert sink.keys == ["a"]


@pytest.mark.django_db
def test_a_message_whose_cause_was_rolled_back_is_never_sent(sink: Sink) -> None:
    with transaction.atomic():
        put("a")
        transaction.set_rollback(True)

    outbox.dispatch_outbox(now=NOW)

    assert sink.keys == []


@pytest.mark.django_db
def test_a_channel_that_nobody_serves_is_refused_when_written(sink: Sink) -> None:
    with pytest.raises(outbox.UnknownChannel):
        put("a", channel="pigeon")


@pytest.mark.django_db
def test_due_messages_go_oldest_first_and_early_ones_wait(sink: Sink) -> None:
    put("second", at=NOW)
    put("first", at=NOW - timedelta(minutes=1))
    outbox.enqueue(
        key="tomorrow", channel="sink", payload={}, now=NOW, deliver_at=NOW + timedelta(days=1)
    )

    outbox.dispatch_outbox(now=NOW)

    assert sink.keys == ["first", "second"]
    assert state_of("tomorrow") == OutboxState.PENDING


@pytest.mark.django_db
def test_a_sent_message_says_when_and_is_not_sent_again(sink: Sink) -> None:
    put("a")

    outbox.dispatch_outbox(now=NOW)
    outbox.dispatch_outbox(now=LATER)

    message = OutboxMessage.objects.get(key="a")
    assert (message.state, message.delivered_at, message.attempts) == (OutboxState.SENT, NOW, 1)
    assert sink.keys == ["a"]


@pytest.mark.django_db
def test_a_poisonous_message_does_not_hold_up_its_neighbours(sink: Sink) -> None:
    sink.failing["poison"] = ValueError("no")
    put("poison", at=NOW - timedelta(minutes=1))
    put("healthy")

    outbox.dispatch_outbox(now=NOW)

    assert sink.keys == ["healthy"]
    poison = OutboxMessage.objects.get(key="poison")
    assert poison.state == OutboxState.PENDING
    assert poison.deliver_at == NOW + outbox.RETRY_DELAYS[0]
    assert poison.last_error == "ValueError: no"


@pytest.mark.django_db
def test_after_five_failures_a_message_is_given_up_and_can_be_replayed(sink: Sink) -> None:
    sink.failing["a"] = ValueError("no")
    put("a")
    moment, times = NOW, []
    for _ in range(7):
        outbox.dispatch_outbox(now=moment)
        times.append(OutboxMessage.objects.get(key="a").attempts)
        moment += timedelta(hours=3)

    assert times == [1, 2, 3, 4, 5, 5, 5]
    assert state_of("a") == OutboxState.DEAD

    del sink.failing["a"]
    assert outbox.replay(message_id=OutboxMessage.objects.get(key="a").pk, now=moment) is True
    outbox.dispatch_outbox(now=moment)
    assert (state_of("a"), sink.keys) == (OutboxState.SENT, ["a"])


@pytest.mark.django_db
def test_a_sent_message_cannot_be_replayed(sink: Sink) -> None:
    put("a")
    outbox.dispatch_outbox(now=NOW)

    assert outbox.replay(message_id=OutboxMessage.objects.get(key="a").pk, now=NOW) is False


@pytest.mark.django_db(transaction=True)
def test_a_message_that_kills_its_process_each_time_is_given_up(sink: Sink) -> None:
    sink.failing["killer"] = SystemExit
    put("killer", at=NOW - timedelta(hours=1))
    put("healthy")
    moment = NOW
    deaths = 0
    for _ in range(10):
        try:
            outbox.dispatch_outbox(now=moment)
        except SystemExit:
            deaths += 1
        moment += outbox.LEASE

    assert deaths == outbox.ATTEMPTS
    assert (state_of("killer"), sink.keys) == (OutboxState.DEAD, ["healthy"])


@pytest.mark.django_db(transaction=True)
def test_a_crash_in_the_middle_repeats_an_alert_once_its_lease_is_over(sink: Sink) -> None:
    sink.failing["a"] = SystemExit
    put("a")
    with pytest.raises(SystemExit):
        outbox.dispatch_outbox(now=NOW)
    del sink.failing["a"]

    outbox.dispatch_outbox(now=NOW + outbox.LEASE - timedelta(seconds=1))
    before = list(sink.keys)
    outbox.dispatch_outbox(now=NOW + outbox.LEASE)

    assert (before, sink.keys) == ([], ["a"])


@pytest.mark.django_db(transaction=True)
def test_a_crash_in_the_middle_never_repeats_mail_to_a_prospect(sink: Sink) -> None:
    sink.failing["a"] = SystemExit
    put("a", channel="once")
    with pytest.raises(SystemExit):
        outbox.dispatch_outbox(now=NOW)
    del sink.failing["a"]

    outbox.dispatch_outbox(now=LATER)

    assert (state_of("a"), sink.keys) == (OutboxState.UNCERTAIN, [])


@pytest.mark.django_db
def test_mail_to_a_prospect_is_tried_again_when_nothing_has_left_the_house(sink: Sink) -> None:
    sink.failing["a"] = outbox.NotSent("refused")
    put("a", channel="once")
    outbox.dispatch_outbox(now=NOW)
    waiting = state_of("a")
    del sink.failing["a"]

    outbox.dispatch_outbox(now=LATER)

    assert (waiting, state_of("a"), sink.keys) == (OutboxState.PENDING, OutboxState.SENT, ["a"])


@pytest.mark.django_db
def test_mail_to_a_prospect_whose_end_is_unknown_waits_for_a_person(sink: Sink) -> None:
    sink.failing["a"] = TimeoutError("silence")
    put("a", channel="once")
    outbox.dispatch_outbox(now=NOW)

    outbox.dispatch_outbox(now=LATER)

    message = OutboxMessage.objects.needing_a_person().get()
    assert (message.state, message.last_error) == (OutboxState.UNCERTAIN, "TimeoutError: silence")


@pytest.mark.django_db
def test_of_waiting_messages_about_one_thing_only_the_newest_is_sent(sink: Sink) -> None:
    put("half:17", topic="handoff:17:user:4")
    put("half:18", topic="handoff:18:user:4")
    put("breach:17", topic="handoff:17:user:4")

    outbox.dispatch_outbox(now=NOW)

    assert sink.keys == ["half:18", "breach:17"]
    assert state_of("half:17") == OutboxState.SUPERSEDED


@pytest.mark.django_db
def test_of_messages_written_together_the_last_one_counts_whatever_its_key(sink: Sink) -> None:
    together = [
        outbox.Message("z:half", "sink", {}, topic="handoff:17"),
        outbox.Message("a:breach", "sink", {}, topic="handoff:17"),
        outbox.Message("other", "sink", {}),
    ]

    new = outbox.enqueue_all(together, now=NOW)
    again = outbox.enqueue_all(together, now=NOW)
    outbox.dispatch_outbox(now=NOW)

    assert (new, again) == (3, 0)
    assert sorted(sink.keys) == ["a:breach", "other"]


@pytest.mark.django_db
def test_writing_an_old_message_again_overtakes_nothing(sink: Sink) -> None:
    put("half:17", topic="handoff:17")
    put("breach:17", topic="handoff:17")

    put("half:17", topic="handoff:17")
    outbox.dispatch_outbox(now=NOW)

    assert sink.keys == ["breach:17"]


@pytest.mark.django_db
def test_writing_nothing_is_no_error(sink: Sink) -> None:
    assert outbox.enqueue_all([], now=NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_at_once_deliver_each_message_once(sink: Sink) -> None:
    put("first", at=NOW - timedelta(minutes=1))
    put("second")
    sink.may_leave.clear()
    with ThreadPoolExecutor(2) as pool:
        slow = in_thread(pool, lambda: outbox.dispatch_outbox(now=NOW, limit=1))
        assert sink.entered.wait(30)  # the other dispatcher now holds "first"
        quick = in_thread(pool, lambda: outbox.dispatch_outbox(now=NOW))
        while OutboxMessage.objects.filter(attempts=0).exists():  # until it claimed "second"
            time.sleep(0.01)
        sink.may_leave.set()
        assert (slow.result(timeout=30), quick.result(timeout=30)) == (1, 1)

    assert sorted(sink.keys) == ["first", "second"]
    assert OutboxMessage.objects.filter(attempts=1, state=OutboxState.SENT).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_transaction_holds_is_passed_over_not_waited_for(sink: Sink) -> None:
    put("held", at=NOW - timedelta(minutes=1))
    put("free")
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            OutboxMessage.objects.select_for_update().get(key="held")
            is_held.set()
            assert may_go.wait(30)

    with ThreadPoolExecutor(1) as pool:
        holder = in_thread(pool, hold)
        assert is_held.wait(30)
        outbox.dispatch_outbox(now=NOW)
        sent_meanwhile = list(sink.keys)
        may_go.set()
        holder.result(timeout=30)

    assert sent_meanwhile == ["free"]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_channel_works(sink: Sink) -> None:
    seen: list[bool] = []
    outbox.register_channel("look", lambda _: seen.append(connection.in_atomic_block))
    put("a", channel="look")

    outbox.dispatch_outbox(now=NOW)

    assert seen == [False]


@pytest.mark.django_db
def test_a_batch_is_bounded_and_the_rest_is_reported(sink: Sink) -> None:
    for number in range(3):
        put(str(number), at=NOW - timedelta(minutes=3 - number))

    tried = outbox.dispatch_outbox(now=NOW, limit=2)

    heartbeat = Heartbeat.objects.get(loop=outbox.LOOP)
    assert tried == 2
    assert (heartbeat.backlog, heartbeat.oldest_due_at) == (1, NOW - timedelta(minutes=1))


@pytest.mark.django_db
def test_a_long_backlog_is_not_counted_to_its_end(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_COUNTED", 2)
    for number in range(5):
        put(str(number))

    outbox.dispatch_outbox(now=NOW, limit=1)

    assert Heartbeat.objects.get(loop=outbox.LOOP).backlog == 2


@pytest.mark.django_db
def test_each_attempt_at_a_mail_carries_the_same_message_id(
    settings: Settings,
) -> None:
    settings.PUBLIC_URL = "https://baton.example.com"
    payload = {"to": "ines@example.com", "subject": "Two\nlines", "text": "Hello"}
    outbox.enqueue(key="a", channel="email", payload=payload, now=NOW)
    outbox.dispatch_outbox(now=NOW)
    OutboxMessage.objects.update(state=OutboxState.PENDING)

    outbox.dispatch_outbox(now=LATER)

    assert [letter.extra_headers["Message-ID"] for letter in mail.outbox] == [message_id("a")] * 2
    assert message_id("a").endswith("@baton.example.com>")
    assert mail.outbox[0].subject == "Two lines"


@pytest.mark.django_db(transaction=True)
def test_the_command_delivers_while_the_broker_is_away(tmp_path: Path) -> None:
    payload = {"to": "ines@example.com", "subject": "Still here", "text": "Hello"}
    outbox.enqueue(key="a", channel="email", payload=payload, now=NOW)
    environment = {
        **os.environ,
        "REDIS_URL": f"unix://{tmp_path}/nobody-listens",
        "DATABASE_URL": os.environ["DATABASE_URL"].rsplit("/", 1)[0]
        + f"/{connection.settings_dict['NAME']}",
        "EMAIL_URL": "console:",
    }

    subprocess.run(
        [sys.executable, "manage.py", "dispatch_outbox"],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=60,
    )

    assert state_of("a") == OutboxState.SENT


@pytest.mark.django_db
def test_the_database_refuses_a_state_that_nobody_dispatches(sink: Sink) -> None:
    put("a")

    with pytest.raises(IntegrityError, match="outbox_state_is_known"):
        OutboxMessage.objects.update(state="LOST")

"""Two sweeps at once: forced to overlap, on real connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from crm.accounts.enums import Role
from engagement.enums import Actor, LinkReason
from engagement.models import Event, EventKey, InboxMessage, Visitor
from engagement.services import (
    LinkIsOtherwise,
    absorb_events,
    confirm_claim,
    detach_link,
    dismiss_claim,
    keep_partitions,
    link_visitor,
    receive,
)
from engagement.signals import events_absorbed
from leads.models import Company, Lead
from leads.signals import leads_changed
from tests.concurrency import side_by_side, somebody_waits_for_a_lock, wait_until_blocked
from tests.engagement.clicks import click, links_of
from tests.engagement.inbox import CHROME, HOUR, NOW, identify, message, owners
from tests.factories import make_lead, make_user


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
            wait_until_blocked(following)
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


def agents_of_both_lanes() -> list[str]:
    """Return of each lane of the inbox a User-Agent whose messages lie in it."""
    for number in range(20):
        meta = {"agent": f"{CHROME} {number}"}
        receive(source="probe", messages=[message("m")], received_at=NOW, meta=meta)
    found = dict(InboxMessage.objects.values_list("lane", "meta"))
    InboxMessage.objects.all().delete()
    return [meta["agent"] for _, meta in sorted(found.items())]


@pytest.mark.django_db
def test_whoever_is_alone_neglects_no_lane() -> None:
    """Red when one lane always goes first: the other waits for its end."""
    for number, agent in enumerate(agents_of_both_lanes()):
        sent = [message(f"{number}-first"), message(f"{number}-second")]
        receive(source="site", messages=sent, received_at=NOW, meta={"agent": agent})

    absorb_events(now=NOW, limit=1)
    absorb_events(now=NOW + timedelta(seconds=1), limit=1)

    left = InboxMessage.objects.order_by("message_id").values_list("message_id", flat=True)
    assert list(left) == ["0-second", "1-second"]


@pytest.mark.django_db
def test_a_message_that_breaks_its_lane_is_put_aside_while_the_other_is_full() -> None:
    """Red when messages are gone through by lane after a failure: its lane fails for ever."""

    def fall_over(*, lead_ids: list[int], **_: object) -> None:
        if Lead.objects.filter(pk__in=lead_ids, email="poison@example.com").exists():
            raise ZeroDivisionError

    full, broken = agents_of_both_lanes()
    poison = identify("poison", "poison@example.com", anonymousId="b")
    receive(source="site", messages=[poison], received_at=NOW, meta={"agent": broken})
    others = [message("first"), message("second")]
    receive(source="site", messages=others, received_at=NOW, meta={"agent": full})

    events_absorbed.connect(fall_over)
    try:
        absorb_events(now=NOW + timedelta(seconds=1), limit=1)
    finally:
        events_absorbed.disconnect(fall_over)

    assert InboxMessage.objects.get(message_id="poison").due_at is None


@pytest.mark.django_db(transaction=True)
def test_browsers_that_send_in_turns_are_absorbed_side_by_side() -> None:
    """Red without lanes: both batches hold both browsers, and the second waits for the first."""
    keep_partitions(now=NOW)
    agents = agents_of_both_lanes()
    for turn in ("first", "second"):
        for number, agent in enumerate(agents):
            said = identify(
                f"{turn}-{number}", f"lead@firm{number}.example", anonymousId=f"d-{number}"
            )
            receive(source="site", messages=[said], received_at=NOW, meta={"agent": agent})
    events_seen_by_second: list[int] = []

    def second() -> None:
        absorb_events(now=NOW, limit=2)
        events_seen_by_second.append(Event.objects.count())

    overlap(lambda: absorb_events(now=NOW, limit=2), second)

    assert events_seen_by_second == [2]
    assert Event.objects.count() == 4


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


@pytest.mark.django_db(transaction=True)
def test_two_batches_with_the_same_new_companies_wait_only_one_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Red when leads are captured in the order of messages: a deadlock, then one by one."""
    keep_partitions(now=NOW)
    addresses = ["a@acme.example", "b@beta.example", "c@beta.example", "d@acme.example"]
    messages = [
        identify(address, address, NOW - HOUR / (n + 1), anonymousId=address)
        for n, address in enumerate(addresses)
    ]
    receive(source="site", messages=messages, received_at=NOW)
    begun = set[int]()

    def let_the_other_begin(**_: object) -> None:
        """Go on from the first lead of a batch when the other has one too, or waits."""
        begun.add(threading.get_ident())
        give_up_at = time.monotonic() + 20
        while len(begun) == 1 and not somebody_waits_for_a_lock():
            assert time.monotonic() < give_up_at
            time.sleep(0.01)

    leads_changed.connect(let_the_other_begin)
    try:
        outcomes = side_by_side(*[lambda: absorb_events(now=NOW, limit=2)] * 2)
    finally:
        leads_changed.disconnect(let_the_other_begin)

    assert outcomes == [2, 2]
    assert caplog.records == []
    assert (Lead.objects.count(), Company.objects.count()) == (4, 2)


@pytest.mark.django_db(transaction=True)
def test_what_is_absorbed_while_its_link_is_detached_is_nobodys() -> None:
    """Red when detaching does not lock the visitor: the event stays the lead's for good."""
    keep_partitions(now=NOW)
    lead, colleague = make_lead(email="ada@example.com"), make_user(Role.MARKETER)
    link = link_visitor(
        anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW - HOUR
    )
    receive(source="site", messages=[message("late")], received_at=NOW)

    overlap(
        lambda: absorb_events(now=NOW),
        lambda: detach_link(link_id=link.pk, actor=colleague, now=NOW),
    )

    assert owners() == [("late", None)]
    assert Visitor.objects.get().lead is None


@pytest.mark.django_db(transaction=True)
def test_what_a_lead_does_elsewhere_while_a_link_is_detached_stays_its_last_activity() -> None:
    """Red when the lead is not locked before its last act is looked for."""
    keep_partitions(now=NOW)
    lead, colleague = make_lead(), make_user(Role.MARKETER)
    said: dict[str, Any] = {"lead_id": lead.pk, "reason": LinkReason.FORM, "now": NOW - HOUR}
    link = link_visitor(anonymous_id="laptop", **said)
    link_visitor(anonymous_id="phone", **said)
    receive(source="site", messages=[message("m", anonymousId="phone")], received_at=NOW)

    overlap(
        lambda: absorb_events(now=NOW),
        lambda: detach_link(link_id=link.pk, actor=colleague, now=NOW),
    )

    lead.refresh_from_db()
    assert lead.last_activity_at == NOW - HOUR


@pytest.mark.django_db(transaction=True)
def test_a_form_that_links_a_browser_while_it_is_absorbed_gets_its_history() -> None:
    """Red when linking does not lock the visitor: the page view stays nobody's."""
    keep_partitions(now=NOW)
    lead = make_lead(email="ada@example.com")
    receive(
        source="site",
        messages=[message("page"), identify("opens-the-gate", "ben@example.com", anonymousId="b")],
        received_at=NOW,
    )

    overlap(
        lambda: absorb_events(now=NOW),
        lambda: link_visitor(
            anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW
        ),
    )

    assert dict(owners()) == {"page": "ada@example.com", "opens-the-gate": "ben@example.com"}


@pytest.mark.django_db(transaction=True)
def test_a_scanner_whose_clicks_come_in_two_batches_at_once_is_known() -> None:
    """Red when clicks of a lead are not held: neither batch sees the click of the other."""
    keep_partitions(now=NOW)
    lead = make_lead()
    for seconds, link in enumerate(links_of("May", 2)):
        click(lead, link, seconds)

    overlap(lambda: absorb_events(now=NOW, limit=1), lambda: absorb_events(now=NOW, limit=1))

    assert set(Event.objects.values_list("actor", flat=True)) == {Actor.MACHINE}


@pytest.mark.django_db(transaction=True)
def test_two_colleagues_who_settle_a_claim_at_once_settle_it_once() -> None:
    """Red without the lock: it is confirmed and dismissed."""
    lead = make_lead()
    claim = link_visitor(
        anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW, proven=False
    )
    said: dict[str, Any] = {"link_id": claim.pk, "actor": make_user(Role.ADMIN), "now": NOW}

    outcomes = side_by_side(lambda: confirm_claim(**said), lambda: dismiss_claim(**said))

    claim.refresh_from_db()
    assert sum(isinstance(outcome, LinkIsOtherwise) for outcome in outcomes) == 1
    assert (claim.proven_at is None) == (claim.detached_at is not None)

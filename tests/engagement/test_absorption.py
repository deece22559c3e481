from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext

from crm.common.models import Heartbeat
from engagement.enums import Actor, ClockFault, EventKind, FunnelStage
from engagement.models import Event, EventKey, InboxMessage, Source, Visitor
from engagement.services import absorb_events, create_asset, receive
from engagement.signals import events_absorbed
from leads.models import ExternalId, Lead, StageInterval
from leads.services import create_lead
from tests.engagement.inbox import CHROME, HOUR, NOW, absorb, identify, message, owners

pytestmark = pytest.mark.django_db

SENT_BY = {"address": "192.0.2.7", "agent": CHROME}


class Heard:
    """Collects what a signal says while it is connected."""

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.calls: list[dict[str, Any]] = []

    def __enter__(self) -> Heard:
        self.signal.connect(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self.signal.disconnect(self._hear)

    def _hear(self, **call: Any) -> None:
        self.calls.append(call)


def test_a_message_becomes_an_event_with_its_asset_and_leaves_the_inbox() -> None:
    guide = create_asset(
        name="OEE guide",
        slug="oee-guide",
        funnel_stage=FunnelStage.TOFU,
        patterns=["/guides/oee/"],
    )
    url = "https://site.example/guides/oee?utm_source=mail"

    taken = absorb(message("m-1", properties={"url": url, "title": "OEE"}))

    event = Event.objects.get()
    assert taken == 1
    assert (event.kind, event.name, event.url) == (EventKind.PAGE_VIEW, "OEE", url)
    assert (event.occurred_at, event.received_at) == (NOW - HOUR, NOW)
    assert (event.asset_id, event.funnel_stage) == (guide.pk, FunnelStage.TOFU)
    assert (event.actor, event.lead_id) == (Actor.HUMAN, None)
    assert (event.visitor.source, event.visitor.name) == ("", "laptop")
    assert not InboxMessage.objects.exists()


def test_an_asset_is_found_by_its_slug_before_the_page_it_is_offered_on() -> None:
    create_asset(name="Prices", slug="prices", funnel_stage=FunnelStage.BOFU, patterns=["/prices"])
    ebook = create_asset(name="E-book", slug="ebook", funnel_stage=FunnelStage.MOFU)

    absorb(
        message(
            "m-1",
            type="track",
            event="Asset Downloaded",
            properties={"asset": "ebook", "url": "https://site.example/prices"},
        )
    )

    event = Event.objects.get()
    assert (event.kind, event.asset_id) == (EventKind.DOWNLOAD, ebook.pk)


def test_a_resent_message_is_one_event_in_the_same_batch_and_later() -> None:
    absorb(message("m-1"), message("m-1"), message("m-2"))
    absorb(message("m-2"), message("m-1"))

    assert sorted(EventKey.objects.values_list("message_id", flat=True)) == ["m-1", "m-2"]
    assert Event.objects.count() == 2
    assert not InboxMessage.objects.exists()


def test_the_same_message_id_of_another_source_is_another_event() -> None:
    absorb(message("m-1"), source="site")
    absorb(message("m-1"), source="shop")

    assert Event.objects.count() == 2


def test_a_bad_message_stays_with_its_error_and_does_not_hold_up_its_neighbours() -> None:
    bad = message("bad", timestamp="yesterday")
    taken = absorb(message("good-1"), bad, message("good-2"), meta=SENT_BY)
    again = absorb_events(now=NOW + HOUR)

    left = InboxMessage.objects.get()
    assert (taken, again) == (3, 0)
    assert (left.message_id, left.due_at) == ("bad", None)
    assert left.error == "time_invalid: timestamp is no time such as 2026-05-31T09:30:00Z"
    assert left.meta == {"agent": CHROME}  # an address is never kept
    assert Event.objects.count() == 2


def test_a_message_that_breaks_a_receiver_is_put_aside_alone() -> None:
    def fall_over(*, lead_ids: list[int], **_: object) -> None:
        if Lead.objects.filter(pk__in=lead_ids, email="poison@example.com").exists():
            raise ZeroDivisionError

    events_absorbed.connect(fall_over)
    try:
        absorb(
            identify("good-1", "ada@example.com", anonymousId="a"),
            identify("bad", "poison@example.com", anonymousId="b"),
            identify("good-2", "ben@example.com", anonymousId="c"),
            meta=SENT_BY,
        )
    finally:
        events_absorbed.disconnect(fall_over)

    left = InboxMessage.objects.get()
    assert (left.message_id, left.due_at) == ("bad", None)
    assert left.error == "internal: could not be absorbed, the log says why"
    assert left.meta == {"agent": CHROME}
    assert set(Lead.objects.values_list("email", flat=True)) == {
        "ada@example.com",
        "ben@example.com",
    }


def test_only_what_is_due_is_taken_and_no_more_than_asked() -> None:
    messages = [message(f"m-{number}") for number in range(3)]
    receive(source="site", messages=messages, received_at=NOW)

    assert absorb_events(now=NOW - HOUR) == 0
    assert absorb_events(now=NOW, limit=2) == 2
    assert absorb_events(now=NOW, limit=2) == 1


def test_events_of_years_ago_lie_in_the_partition_of_their_month() -> None:
    absorb(message("m-1", at=datetime(2016, 5, 3, tzinfo=UTC)))

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM engagement_event")
        assert cursor.fetchall() == [("engagement_event_2016_05",)]


def test_the_clock_of_the_client_is_corrected_by_when_it_sent() -> None:
    receive(
        source="site",
        messages=[message("m-1", at=NOW - timedelta(hours=5))],
        received_at=NOW,
        sent_at=NOW - timedelta(hours=4),
    )
    absorb_events(now=NOW)

    assert Event.objects.get().occurred_at == NOW - HOUR


def test_an_event_from_the_future_happens_when_it_is_received_and_says_so() -> None:
    absorb(message("m-1", at=NOW + timedelta(days=400)))

    event = Event.objects.get()
    assert (event.occurred_at, event.clock_fault) == (NOW, ClockFault.FUTURE)


def test_robots_are_machines_with_the_reason() -> None:
    absorb(message("m-1", context={"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}))

    event = Event.objects.get()
    assert (event.actor, event.actor_reason) == (Actor.MACHINE, "Known robot: googlebot")


def test_identifying_oneself_captures_a_lead_with_what_one_says() -> None:
    absorb(
        message("before", at=NOW - 3 * HOUR),
        identify(
            "hello",
            "ada@engine.example",
            at=NOW - 2 * HOUR,
            traits={"email": "ada@engine.example", "name": "Ada Byron", "country": "Atlantis"},
            context={"campaign": {"source": "Google", "medium": "CPC"}, "userAgent": CHROME},
        ),
        message("after", at=NOW - HOUR),
    )

    lead = Lead.objects.get()
    opened = StageInterval.objects.get()
    assert (lead.email, lead.full_name, lead.country) == ("ada@engine.example", "Ada Byron", "")
    assert (lead.source, lead.medium) == ("google", "cpc")
    assert (lead.created_at, lead.last_activity_at) == (NOW - 2 * HOUR, NOW - HOUR)
    assert (opened.started_at, opened.rule) == (NOW - 2 * HOUR, "Identified by site")
    assert owners() == [
        ("before", "ada@engine.example"),
        ("hello", "ada@engine.example"),
        ("after", "ada@engine.example"),
    ]


def test_anonymous_history_is_attached_when_the_visitor_is_identified_later() -> None:
    create_lead(now=NOW - 90 * HOUR, email="ada@example.com")
    absorb(
        message("old", at=datetime(2025, 3, 1, tzinfo=UTC)),
        message("stranger", anonymousId="phone"),
    )

    absorb(identify("hello", "ADA@example.com"))

    visitor = Visitor.objects.get(name="laptop")
    assert dict(owners()) == {
        "old": "ada@example.com",
        "hello": "ada@example.com",
        "stranger": None,
    }
    assert visitor.lead == Lead.objects.get()
    assert visitor.identified_at == NOW
    assert (visitor.first_seen_at, visitor.last_seen_at) == (
        datetime(2025, 3, 1, tzinfo=UTC),
        NOW - HOUR,
    )


def test_two_people_on_one_device_stay_two() -> None:
    absorb(
        message("1", at=NOW - 6 * HOUR),
        identify("2", "ada@example.com", at=NOW - 5 * HOUR),
        message("3", at=NOW - 4 * HOUR),
    )
    absorb(
        identify("4", "ben@example.com", at=NOW - 3 * HOUR),
        message("5", at=NOW - 2 * HOUR),
    )

    assert [email for _, email in owners()] == ["ada@example.com"] * 3 + ["ben@example.com"] * 2
    assert Visitor.objects.get().lead == Lead.objects.get(email="ben@example.com")


def test_a_user_id_that_the_source_imported_finds_its_lead() -> None:
    lead = create_lead(now=NOW - HOUR, company_name="Engine Works")
    ExternalId.objects.create(lead=lead, system="site", external_id="4711")

    absorb(message("m-1", userId=4711), message("m-2", at=NOW, userId=None))

    assert set(Event.objects.values_list("lead_id", flat=True)) == {lead.pk}


def test_what_a_user_did_before_we_learnt_the_address_is_theirs() -> None:
    absorb(message("m-1", anonymousId=None, userId="u-1"))
    absorb(identify("m-2", "ada@example.com", at=NOW, anonymousId=None, userId="u-1"))
    absorb(message("m-3", at=NOW, anonymousId=None, userId="u-1"))

    assert [email for _, email in owners()] == ["ada@example.com"] * 3


def test_the_user_id_of_one_source_says_nothing_in_another() -> None:
    absorb(identify("m-1", "ada@example.com", anonymousId=None, userId="7"), source="site")
    absorb(message("m-2", at=NOW, anonymousId=None, userId="7"), source="shop")

    assert owners() == [("m-1", "ada@example.com"), ("m-2", None)]


def test_an_address_in_passing_finds_a_lead_but_captures_none() -> None:
    create_lead(now=NOW - HOUR, email="ada@example.com")

    absorb(
        message("m-1", anonymousId="a", context={"traits": {"email": "ada@example.com"}}),
        message("m-2", at=NOW, anonymousId="b", context={"traits": {"email": "ben@example.com"}}),
    )

    assert owners() == [("m-1", "ada@example.com"), ("m-2", None)]
    assert Lead.objects.count() == 1


def test_upper_floors_hear_once_which_leads_acted() -> None:
    create_lead(now=NOW - 9 * HOUR, email="ada@example.com")
    create_lead(now=NOW - 9 * HOUR, email="ben@example.com")
    create_lead(now=NOW - 9 * HOUR, email="idle@example.com")

    with Heard(events_absorbed) as heard:
        absorb(
            identify("1", "ben@example.com", anonymousId="b"),
            identify("2", "ada@example.com", anonymousId="a"),
            message("3", anonymousId="a", at=NOW),
            message("4", anonymousId="stranger"),
        )

    active = Lead.objects.filter(email__in=["ada@example.com", "ben@example.com"])
    assert [(call["lead_ids"], call["now"]) for call in heard.calls] == [
        (sorted(active.values_list("pk", flat=True)), NOW)
    ]


def test_nobody_is_told_when_nothing_is_new() -> None:
    absorb(identify("1", "ada@example.com"))

    with Heard(events_absorbed) as heard:
        absorb(identify("1", "ada@example.com"))

    assert heard.calls == []


def test_a_scanner_does_not_wake_a_lead() -> None:
    lead = create_lead(now=NOW - 9 * HOUR, email="ada@example.com")

    absorb(
        identify("1", "ada@example.com", at=NOW - 5 * HOUR),
        message("2", at=NOW - HOUR, context={"userAgent": "curl/8.5.0"}),
    )

    lead.refresh_from_db()
    assert lead.last_activity_at == NOW - 5 * HOUR


def test_the_sweep_leaves_a_heartbeat_with_what_is_left() -> None:
    receive(source="site", messages=[message("1"), message("2")], received_at=NOW - HOUR)

    absorb_events(now=NOW, limit=1)

    beat = Heartbeat.objects.get(loop="absorb_events")
    assert (beat.succeeded_at, beat.backlog, beat.oldest_due_at) == (NOW, 1, NOW - HOUR)


def test_a_batch_costs_the_same_number_of_queries_whatever_its_size() -> None:
    create_lead(now=NOW - HOUR, email="ada@example.com")
    absorb(identify("warm-up", "ada@example.com"))
    counts = []

    for size in (1, 20):
        messages = [
            identify(f"{size}-{number}", "ada@example.com", anonymousId=f"d-{size}-{number}")
            for number in range(size)
        ]
        receive(source="site", messages=messages, received_at=NOW)
        with CaptureQueriesContext(connection) as queries:
            absorb_events(now=NOW)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_sweep_that_dies_half_way_changes_nothing_and_the_next_does_it_once() -> None:
    receive(source="site", messages=[identify("1", "ada@example.com")], received_at=NOW)

    def die(**_: object) -> None:
        raise KeyboardInterrupt

    events_absorbed.connect(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            absorb_events(now=NOW)
    finally:
        events_absorbed.disconnect(die)
    left = (Event.objects.count(), EventKey.objects.count(), Lead.objects.count())
    waiting = InboxMessage.objects.count()
    absorb_events(now=NOW)

    assert (left, waiting) == ((0, 0, 0), 1)
    assert (Event.objects.count(), EventKey.objects.count(), Lead.objects.count()) == (1, 1, 1)
    assert not InboxMessage.objects.exists()


def test_a_source_shows_when_it_sent_last() -> None:
    sources = [
        Source.objects.create(name=name, label=name, write_key=name, created_at=NOW)
        for name in ("site", "shop", "silent")
    ]
    receive(source="site", messages=[message("1")], received_at=NOW - HOUR)
    receive(source="site", messages=[message("2")], received_at=NOW)
    receive(source="shop", messages=[message("3", timestamp="nonsense")], received_at=NOW - HOUR)

    absorb_events(now=NOW)
    absorb(message("older"), source="site", now=NOW - HOUR)

    for source in sources:
        source.refresh_from_db()
    assert [source.last_received_at for source in sources] == [NOW, NOW - HOUR, None]


@pytest.mark.parametrize("column", ["body", "meta"])
@pytest.mark.parametrize("kept", ["{broken", "5", "[]", r'{"a": "\u0000", "b": 1'])
def test_a_row_that_was_damaged_is_put_aside_and_the_others_go_on(column: str, kept: str) -> None:
    """Red when refusing takes it that what is kept is JSON: no batch with that row ends."""
    messages = [message("good-1"), message("bad"), message("good-2")]
    receive(source="site", messages=messages, received_at=NOW, meta=SENT_BY)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE engagement_inbox SET {column} = %s WHERE message_id = 'bad'", [kept]
        )

    absorb_events(now=NOW)

    left = InboxMessage.objects.values("message_id", "due_at", "error").get()
    assert (left["message_id"], left["due_at"]) == ("bad", None)
    assert left["error"] == "internal: could not be absorbed, the log says why"
    assert Event.objects.count() == 2

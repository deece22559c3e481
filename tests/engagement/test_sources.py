"""Sources: their keys, what arrives from each, and their pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crm.accounts.enums import Role
from crm.common.health import beat
from engagement.arrivals import Arrived, events_since, is_collecting, last_arrivals
from engagement.enums import SourceKind
from engagement.models import InboxMessage, RefusalCount, Source
from engagement.services import (
    SourceNameTaken,
    absorb_events,
    create_source,
    receive,
    switch_source,
    update_source,
)
from tests.engagement.inbox import NOW, message
from tests.factories import client_of, make_user

pytestmark = pytest.mark.django_db
PAGE = "/tracking/sources/"


def make_source(name: str = "site", kind: SourceKind = SourceKind.WEBSITE) -> Source:
    return create_source(name=name, label=f"The {name}", kind=kind, now=NOW)


def absorb(source: str, *names: str) -> None:
    bodies = [message(f"{source}-{name}", type="track", event=name) for name in names]
    receive(source=source, messages=bodies, received_at=NOW)
    absorb_events(now=NOW)


@pytest.fixture
def marketer() -> Client:
    return client_of(make_user(Role.MARKETER))


def test_each_source_has_a_key_of_128_random_bits() -> None:
    keys = {make_source(f"site-{number}").write_key for number in range(20)}

    assert len(keys) == 20
    assert all(len(bytes.fromhex(key)) == 16 for key in keys)


@pytest.mark.parametrize("name", ["site", "baton", "form", "webinars"])
def test_a_name_in_use_is_refused_and_nothing_is_made(name: str) -> None:
    make_source("site")

    with pytest.raises(SourceNameTaken):
        make_source(name)

    assert Source.objects.count() == 1


def test_a_change_leaves_name_kind_and_key_as_they_are() -> None:
    source = make_source()

    update_source(
        source_id=source.pk,
        label="Shop",
        allowed_origins=["https://shop.example"],
        rate_limit=5,
        address_rate_limit=2,
        asks_consent=True,
    )
    switch_source(source_id=source.pk, is_active=False)

    changed = Source.objects.get()
    assert (changed.name, changed.kind, changed.write_key) == (
        "site",
        source.kind,
        source.write_key,
    )
    assert (changed.label, changed.allowed_origins) == ("Shop", ["https://shop.example"])
    assert (changed.asks_consent, changed.is_active) == (True, False)


def test_events_are_counted_for_each_source_from_a_moment_on() -> None:
    sources = [make_source("site"), make_source("shop"), make_source("silent")]
    absorb("site", "One", "Two")
    absorb("shop", "Three")

    assert events_since(sources, NOW - timedelta(hours=1)) == {"site": 2, "shop": 1, "silent": 0}
    assert events_since(sources, NOW + timedelta(hours=1)) == {"site": 0, "shop": 0, "silent": 0}


def test_the_last_messages_of_a_source_are_its_own_with_the_refused_ones() -> None:
    source = make_source("site")
    absorb("site", "Tour Started")
    absorb("shop", "Not Ours")
    InboxMessage.objects.create(
        source="site",
        message_id="bad",
        body={"type": "track", "event": "Broken"},
        received_at=NOW + timedelta(seconds=1),
        error="internal: could not be absorbed",
    )

    refused, event = last_arrivals(source)

    assert (refused.title, refused.refused) == ("Broken", "internal: could not be absorbed")
    assert (event.title, event.refused) == ("Tour Started", "")


def test_a_refused_message_that_was_damaged_is_listed_all_the_same() -> None:
    source = make_source("site")
    InboxMessage.objects.create(
        source="site", message_id="bad", body="no object", received_at=NOW, error="internal"
    )

    [refused] = last_arrivals(source)

    assert (refused.title, refused.refused) == ("", "internal")


def test_refusals_are_shown_by_reason_for_a_week(marketer: Client) -> None:
    source, other = make_source("site"), make_source("shop")
    now = timezone.now()
    today = timezone.localdate(now)
    for days, name, code, count in (
        (0, "site", "not_json", 2), (6, "site", "not_json", 3), (7, "site", "not_json", 100),
        (1, "site", "key_inactive", 9), (0, "", "key_unknown", 7),
    ):  # fmt: skip
        RefusalCount.objects.create(
            day=today - timedelta(days=days), source=name, code=code, count=count, last_at=now
        )

    ours = marketer.get(f"{PAGE}{source.pk}/").context["refusals"]
    listed = marketer.get(PAGE).context

    assert [(each.reason, each.today, each.lately) for each in ours] == [
        ("Key inactive", 0, 9),
        ("Not json", 2, 5),
    ]
    assert {line[0]: line[2] for line in listed["lines"]} == {source: 2, other: 0}
    assert [(each.reason, each.today) for each in listed["strangers"]] == [("Key unknown", 7)]


def test_only_the_last_twenty_messages_are_shown() -> None:
    source = make_source("site")
    absorb("site", *(f"Event {number}" for number in range(25)))

    arrivals: list[Arrived] = last_arrivals(source)

    assert len(arrivals) == 20


def test_a_collector_that_has_not_reported_lately_is_not_running() -> None:
    beat("collector", NOW)

    assert is_collecting(NOW + timedelta(seconds=5))
    assert not is_collecting(NOW + timedelta(minutes=5))


def test_a_source_is_made_on_its_page_and_shows_its_snippet(marketer: Client) -> None:
    answer = marketer.post(
        f"{PAGE}new/",
        {
            "label": "Main site",
            "name": "main",
            "kind": "WEBSITE",
            "allowed_origins": "https://WWW.example.com/\nhttps://www.example.com\n",
            "asks_consent": "on",
            "rate_limit": "100",
            "address_rate_limit": "10",
        },
        follow=True,
    )

    source = Source.objects.get()
    assert source.allowed_origins == ["https://www.example.com"]
    assert f"data-key=&quot;{source.write_key}&quot; data-consent=&quot;ask&quot;" in (
        answer.content.decode().replace('"', "&quot;")
    )


def test_lines_that_are_no_sites_are_named_and_nothing_is_made(marketer: Client) -> None:
    answer = marketer.post(
        f"{PAGE}new/",
        {"label": "Site", "name": "site", "kind": "WEBSITE", "allowed_origins": "www.example.com",
         "rate_limit": "100", "address_rate_limit": "10"},
    )  # fmt: skip

    assert answer.status_code == 422
    assert "www.example.com does not begin with https://" in answer.content.decode()
    assert not Source.objects.exists()


def test_the_key_of_a_server_is_shown_to_those_who_may_change_it_only(marketer: Client) -> None:
    source = make_source(kind=SourceKind.SERVER)
    manager = client_of(make_user(Role.MANAGER))

    assert source.write_key in marketer.get(f"{PAGE}{source.pk}/").content.decode()
    assert source.write_key not in manager.get(f"{PAGE}{source.pk}/").content.decode()


def test_the_page_says_how_long_ago_the_last_message_came(marketer: Client) -> None:
    source = make_source()
    assert "Waiting for the first" in marketer.get(PAGE).content.decode()

    Source.objects.update(last_received_at=timezone.now() - timedelta(seconds=4))

    assert " s ago" in marketer.get(PAGE).content.decode()
    beat("collector", timezone.now())
    rows = marketer.get(f"{PAGE}{source.pk}/", headers={"HX-Request": "true"})
    assert "Last message 4 s ago" in rows.content.decode()
    assert "<html" not in rows.content.decode()


def test_where_nothing_arrives_the_reasons_that_fit_the_source_are_named(marketer: Client) -> None:
    source = make_source()
    Source.objects.update(asks_consent=True, allowed_origins=["https://www.example.com"])

    text = marketer.get(f"{PAGE}{source.pk}/").content.decode()

    assert "Consent was not given" in text
    assert "The site is not allowed" in text
    assert "The collector is not running" in text


def test_the_list_costs_the_same_for_one_source_and_for_three(
    marketer: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_source("site")
    with CaptureQueriesContext(connection) as one:
        marketer.get(PAGE)
    for name in ("shop", "docs"):
        make_source(name)
    with django_assert_num_queries(len(one)):
        marketer.get(PAGE)

"""The protocol, spoken to a real process on a real database."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from crm.common.models import Heartbeat
from engagement.collector.inbox import LOOP
from engagement.enums import SourceKind
from engagement.models import InboxMessage, RefusalCount
from tests.collecting import Collector, page
from tests.engagement.collector.conftest import make_source
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SUCCESS = (200, {"success": True})
TRACK = {"event": "Demo Requested", "anonymousId": "laptop"}


def stored() -> list[str]:
    return list(InboxMessage.objects.order_by("id").values_list("message_id", flat=True))


def test_the_type_of_a_message_follows_from_the_path(collector: Collector) -> None:
    for type_ in ("track", "identify", "page", "screen", "group", "alias"):
        for path in (f"/v1/{type_}", f"/v1/{type_[0]}"):
            reply = collector.post(path, {**TRACK, "type": "forged", "messageId": path})
            assert (reply.status, reply.content) == SUCCESS
            assert InboxMessage.objects.get(message_id=path).body["type"] == type_

    message = InboxMessage.objects.get(message_id="/v1/t")
    assert (message.source, message.error, message.due_at) == ("site", "", message.received_at)


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b"])
def test_a_batch_is_stored_message_by_message_with_what_it_says_for_all(
    collector: Collector, path: str
) -> None:
    batch = {
        "batch": [page(1, context={"locale": "de"}), page(2, sentAt="2026-05-12T08:00:09Z")],
        "context": {"locale": "en", "ip": "10.0.0.1"},
        "integrations": {"All": True},
        "sentAt": "2026-05-12T10:00:00+02:00",
    }

    reply = collector.post(path, batch)

    assert (reply.status, reply.content) == SUCCESS
    first, second = InboxMessage.objects.order_by("id")
    assert first.body["context"] == {"locale": "de", "ip": "10.0.0.1"}
    assert second.body["context"] == {"locale": "en", "ip": "10.0.0.1"}
    assert first.body["integrations"] == {"All": True}
    assert first.sent_at == datetime(2026, 5, 12, 8, tzinfo=UTC)
    assert second.sent_at == datetime(2026, 5, 12, 8, 0, 9, tzinfo=UTC)


def test_a_batch_of_nothing_is_fine(collector: Collector) -> None:
    assert collector.post("/v1/batch", {"batch": []}).status == 200


def test_json_is_read_under_any_content_type_packed_or_not(collector: Collector) -> None:
    text = "Zoë 😀 \\ \t\n"
    batch = {"batch": [page(1, name=text)], "sentAt": "2026-05-12T08:00:00.123456Z"}

    for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded", ""):
        for packed in (False, True):
            reply = collector.post("/v1/batch", batch, packed=packed, content_type=content_type)
            assert (reply.status, reply.content) == SUCCESS

    assert {each.body["name"] for each in InboxMessage.objects.all()} == {text}


def test_the_key_may_stand_in_the_header_the_body_or_a_message(collector: Collector) -> None:
    secret = make_source("server", "SECRET", kind=SourceKind.SERVER)

    in_header = collector.post("/v1/batch", {"batch": [page(1)], "writeKey": "KEY"}, key="SECRET")
    in_body = collector.post("/v1/batch", {"batch": [page(2)], "writeKey": "SECRET"}, key="")
    in_message = collector.post("/v1/b", {"batch": [page(3, writeKey="SECRET")]}, key="")
    alone = collector.post("/v1/p", page(4, writeKey="SECRET"), key="", authorization="Bearer x")

    assert {reply.status for reply in (in_header, in_body, in_message, alone)} == {200}
    assert set(InboxMessage.objects.values_list("source", flat=True)) == {secret.name}


def test_unknown_missing_and_switched_off_keys_are_told_apart(collector: Collector) -> None:
    make_source("old", "OFF", is_active=False)

    replies = [collector.post("/v1/t", TRACK, key=key) for key in ("", "NOBODY", "OFF")]

    assert [(reply.status, reply.code) for reply in replies] == [
        (401, "key_missing"),
        (401, "key_unknown"),
        (403, "key_inactive"),
    ]
    assert stored() == []


def test_a_key_made_a_moment_ago_is_known(collector: Collector) -> None:
    assert collector.post("/v1/t", TRACK, key="NEW").status == 401
    make_source("new", "NEW")

    wait_for(lambda: collector.post("/v1/t", TRACK, key="NEW").status == 200, seconds=1)


def test_a_browser_sends_from_allowed_origins_only(collector: Collector) -> None:
    make_source("shop", "SHOP", allowed_origins=["https://shop.example"])

    mine = collector.post("/v1/t", TRACK, key="SHOP", origin="https://shop.example")
    other = collector.post("/v1/t", TRACK, key="SHOP", origin="https://shop.example.evil.example")
    nowhere = collector.post("/v1/t", TRACK, key="SHOP", origin="null")
    server = collector.post("/v1/t", TRACK, key="SHOP")

    assert [mine.status, server.status] == [200, 200]
    assert [(each.status, each.code) for each in (other, nowhere)] == [
        (403, "origin_not_allowed")
    ] * 2
    assert len(stored()) == 2


def test_a_preflight_lets_the_key_and_the_count_of_retries_pass(collector: Collector) -> None:
    reply = collector.request(
        "OPTIONS",
        "/v1/t",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-retry-count",
        },
    )

    allowed = reply.headers["access-control-allow-headers"].split(", ")
    assert reply.status == 204
    assert {"authorization", "content-type", "x-retry-count"} <= {*allowed}
    assert reply.headers["access-control-allow-origin"] == "*"


def test_errors_can_be_read_by_every_site(collector: Collector) -> None:
    reply = collector.post("/v1/t", b"{", origin="https://shop.example")

    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.content == {"code": "not_json", "message": reply.content["message"]}


def test_a_message_without_an_id_gets_one_and_with_one_keeps_it(collector: Collector) -> None:
    collector.post("/v1/t", TRACK)
    collector.post("/v1/t", {**TRACK, "messageId": " a\tb\\ "})
    collector.post("/v1/t", {**TRACK, "messageId": 4711})

    random, odd, number = stored()
    assert UUID(random).version == 4
    assert (odd, number) == ("a\tb\\", "4711")


def test_what_the_request_tells_beside_its_body_is_kept(collector: Collector) -> None:
    collector.post("/v1/t", TRACK, user_agent="Agent/1.0 \\", sec_purpose="prefetch")
    collector.post("/v1/t", TRACK, user_agent="")

    first, second = InboxMessage.objects.order_by("id")
    assert first.meta == {"address": "127.0.0.1", "agent": "Agent/1.0 \\", "purpose": "prefetch"}
    assert second.meta == {"address": "127.0.0.1"}


def test_metrics_of_clients_are_accepted_and_dropped(collector: Collector) -> None:
    reply = collector.post("/v1/m", {"series": []}, key="")

    assert (reply.status, reply.content) == SUCCESS
    assert stored() == []


def test_a_browser_client_learns_its_key_and_where_to_send(collector: Collector) -> None:
    known = collector.request("GET", "/v1/projects/KEY/settings")
    unknown = collector.request("GET", "/v1/projects/NOBODY/settings")

    assert known.content["integrations"] == {
        "Segment.io": {
            "apiKey": "KEY",
            "apiHost": f"127.0.0.1:{collector.port}/v1",
            "protocol": "http",
        }
    }
    assert (unknown.status, unknown.code) == (401, "key_unknown")


def test_there_is_nothing_else(collector: Collector) -> None:
    for method, path in (
        ("GET", "/v1/track"), ("POST", "/"), ("PUT", "/v1/t"), ("GET", "/v1/projects/KEY"),
    ):  # fmt: skip
        reply = collector.request(method, path, headers={"Cookie": "sessionid=1"})
        assert (reply.status, reply.code) == (404, "not_found")
        assert "set-cookie" not in reply.headers


def test_the_collector_leaves_a_heartbeat_and_notes_when_a_source_sent(
    collector: Collector,
) -> None:
    source = make_source("heard", "HEARD")
    collector.post("/v1/t", TRACK, key="HEARD")

    wait_for(lambda: type(source).objects.get(pk=source.pk).last_received_at)
    wait_for(lambda: Heartbeat.objects.filter(loop=LOOP, backlog=0).exists())

    heard_at = type(source).objects.get(pk=source.pk).last_received_at
    assert heard_at == InboxMessage.objects.get(source="heard").received_at


def test_what_is_refused_is_counted_by_source_and_reason(collector: Collector) -> None:
    make_source("strict", "STRICT", allowed_origins=["https://fair.example"])
    elsewhere = "https://elsewhere.example"
    collector.post("/v1/t", TRACK, key="STRICT", origin=elsewhere)
    collector.post("/v1/t", {**TRACK, "writeKey": "STRICT"}, key="", origin=elsewhere)
    collector.post("/v1/t", b"{", key="STRICT")
    collector.post("/v1/t", TRACK, key="NOBODYS")
    collector.post(
        "/v1/b", {"batch": [{"type": "track", **TRACK}, *[{"type": "wish"}] * 2]}, key="STRICT"
    )

    def refused(source: str) -> dict[str, int]:
        return dict(RefusalCount.objects.filter(source=source).values_list("code", "count"))

    wait_for(lambda: "type_unknown" in refused("strict"))
    assert refused("strict") == {"origin_not_allowed": 2, "not_json": 1, "type_unknown": 2}
    before = refused("")["key_unknown"]  # by those of other tests as well
    collector.post("/v1/t", TRACK, key="NOBODYS")
    wait_for(lambda: refused("")["key_unknown"] == before + 1)


def test_too_many_messages_are_told_when_to_come_back(collector: Collector) -> None:
    make_source("slow", "SLOW", rate_limit=1000, address_rate_limit=1)
    make_source("busy", "BUSY", kind=SourceKind.SERVER, rate_limit=1, address_rate_limit=1000)
    batch = {"batch": [page(number) for number in range(12)]}

    for key in ("SLOW", "BUSY"):
        first, second = (collector.post("/v1/batch", batch, key=key) for _ in range(2))

        assert (first.status, second.status, second.code) == (200, 429, "too_many_requests")
        assert 1 <= int(second.headers["retry-after"]) <= 3


@pytest.mark.parametrize(
    ("source", "path", "body", "told"),
    [
        ("broken", "/v1/t", b"{", "not_json"),
        ("nameless", "/v1/t", {"event": "Nobody's"}, "nobody"),
        ("careless", "/v1/b", {"batch": [{"type": "page"}] * 3}, "messages_refused"),
        ("wordless", "/v1/b", {"batch": []}, None),
    ],
)
def test_what_is_refused_counts_as_well(
    collector: Collector, source: str, path: str, body: object, told: str | None
) -> None:
    """Red when only what is stored is counted."""
    make_source(source, source.upper(), rate_limit=1)

    replies = [collector.post(path, body, key=source.upper()) for _ in range(40)]

    codes = [reply.content.get("code") for reply in replies]
    assert codes[0] == told
    assert "too_many_requests" in codes


def test_the_limit_of_an_address_is_not_that_of_a_server(collector: Collector) -> None:
    make_source("crm", "CRM", kind=SourceKind.SERVER, address_rate_limit=1)
    batch = {"batch": [page(number) for number in range(12)]}

    assert [collector.post("/v1/b", batch, key="CRM").status for _ in range(3)] == [200] * 3


def test_bodies_are_packed_by_one_whole_gzip_or_not_at_all(collector: Collector) -> None:
    whole = gzip.compress(json.dumps(TRACK).encode())

    replies = [
        collector.post("/v1/t", raw, content_encoding=encoding)
        for raw, encoding in (
            (whole, "GZIP"), (whole[:-4], "gzip"), (whole + b"x", "gzip"), (b"{}", "gzip"),
            (b"{}", "br"),
        )
    ]  # fmt: skip

    assert [reply.status for reply in replies] == [200, 400, 400, 400, 415]
    assert {reply.code for reply in replies[1:4]} == {"gzip_invalid"}


def test_the_spool_is_empty_while_the_database_is_there(
    collector: Collector, running: Collector
) -> None:
    collector.post("/v1/t", TRACK)

    assert [path for path in Path(running.spool).iterdir() if path.suffix == ".spool"] == []

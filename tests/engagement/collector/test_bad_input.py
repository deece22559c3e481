"""What strangers send: a stable code each, quickly, in bounded memory, and never a 500."""

from __future__ import annotations

import gzip
import json
import socket
import time
from pathlib import Path

import pytest
from django.utils import timezone

from engagement.json_reading import LARGEST, LARGEST_BATCH, MOST_ITEMS
from engagement.models import Event, InboxMessage
from engagement.services import absorb_events
from tests.collecting import Collector, page

pytestmark = pytest.mark.django_db(transaction=True)

WHO = '"anonymousId": "laptop"'
EXTREME = ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00")


def of(text: str) -> bytes:
    """Return a track message with more in it."""
    return f'{{"event": "Step", {WHO}, {text}}}'.encode(errors="surrogatepass")


SINGLES: list[tuple[str, bytes, int]] = [
    ("not_json", b"", 400),
    ("not_json", b"{", 400),
    ("not_json", of('"a": 1')[:-1], 400),
    ("not_json", of('"a": 1') + b"x", 400),
    ("not_utf8", "{}".encode("utf-16"), 400),
    ("not_json", b"event=Step&anonymousId=laptop", 400),
    ("not_utf8", of('"a": "\u00e4"').decode().encode("latin-1"), 400),
    ("not_utf8", of('"a": "\ud800"'), 400),
    ("not_an_object", b"[]", 400),
    ("not_an_object", b"null", 400),
    ("not_a_number", of('"a": NaN'), 400),
    ("not_a_number", of('"a": -Infinity'), 400),
    ("number_too_large", of('"a": 1e999'), 400),
    ("number_too_large", of('"a": 9223372036854775808'), 400),
    ("number_too_large", of('"a": ' + "9" * 5000), 400),
    ("duplicate_key", of('"event": "Other"'), 400),
    ("not_text", of('"a": "\\u0000"'), 400),
    ("not_text", of('"a": "\\ud83d"'), 400),
    ("not_text", of('"messageId": "\\u0000"'), 400),
    ("too_deep", of('"a": ' + "[" * 10_000 + "]" * 10_000), 400),
    ("too_deep", of('"a": ' + "[" * 30 + "]" * 30), 400),
    ("too_large", of(f'"a": "{"x" * LARGEST}"'), 413),
    ("too_large", b"x" * 3_000_000, 413),
    ("nobody", b'{"event": "Step"}', 400),
    ("event_missing", f'{{"event": " ", {WHO}}}'.encode(), 400),
    ("id_invalid", b'{"event": "Step", "userId": {}}', 400),
    ("id_too_long", of(f'"messageId": "{"x" * 201}"'), 400),
    ("not_an_object", of('"context": []'), 400),
    ("time_invalid", of('"timestamp": 1'), 400),
    ("time_without_zone", of('"timestamp": "2026-05-12T08:00:00"'), 400),
    *(("time_out_of_range", of(f'"timestamp": "{each}"'), 400) for each in EXTREME),
    *(("time_out_of_range", of(f'"sentAt": "{each}"'), 400) for each in EXTREME),
]


def test_what_cannot_be_a_message_has_a_code(collector: Collector) -> None:
    for code, raw, status in SINGLES:
        reply = collector.post("/v1/track", raw)

        assert (reply.status, reply.content.get("code")) == (status, code), raw[:60]
        assert set(reply.content) == {"code", "message"}
    assert not InboxMessage.objects.exists()


def test_what_cannot_be_a_batch_has_a_code(collector: Collector) -> None:
    batches = [
        ("batch_missing", b"{}", 400),
        ("not_a_list", b'{"batch": {}}', 400),
        ("not_json", json.dumps({"batch": [page(1)]}).encode()[:-2], 400),
        ("not_json", b'{"batch": [{"a": tru}]}', 400),
        ("duplicate_key", b'{"batch": [], "batch": []}', 400),
        ("not_an_object", b'{"batch": [], "context": 1}', 400),
        ("time_out_of_range", b'{"batch": [], "sentAt": "9999-01-01T00:00:00Z"}', 400),
        ("too_many", json.dumps({"batch": [{}] * (MOST_ITEMS + 1)}).encode(), 400),
        ("too_large", b'{"batch": [], "a": "' + b"x" * LARGEST_BATCH + b'"}', 413),
    ]
    for code, raw, status in batches:
        reply = collector.post("/v1/batch", raw)

        assert (reply.status, reply.content.get("code")) == (status, code), raw[:60]


def test_a_bad_message_of_a_batch_is_named_and_the_good_ones_are_stored(
    collector: Collector,
) -> None:
    bad = {
        "not_a_number": '{"messageId": "bad-0", "a": [NaN, "]}"]}',
        "duplicate_key": '{"messageId": "bad-1", "a": 1, "a": 2}',
        "number_too_large": '{"messageId": "bad-2", "a": 1e999}',
        "not_text": '{"messageId": "bad-3", "a": "\\u0000"}',
        "too_deep": '{"messageId": "bad-4", "a": ' + "[" * 5000 + "]" * 5000 + "}",
        "too_large": '{"messageId": "bad-5", "a": "' + "x" * LARGEST + '"}',
        "type_unknown": '{"messageId": "bad-6", "type": "video"}',
        "nobody": '{"messageId": "bad-7", "type": "page"}',
        "id_too_long": '{"messageId": "' + "x" * 201 + '", "type": "page"}',
        "not_an_object": '"text with ] and }"',
    }
    items = [text for n, each in enumerate(bad.values()) for text in (json.dumps(page(n)), each)]
    raw = f'{{"batch": [{", ".join(items)}], "sentAt": "2026-05-12T08:00:00Z"}}'.encode()

    reply = collector.post("/v1/batch", raw)

    assert (reply.status, reply.code, reply.content["stored"]) == (400, "messages_refused", 10)
    named = [(each["index"], each["code"]) for each in reply.content["refused"]]
    assert named == [(2 * n + 1, code) for n, code in enumerate(bad)]
    ids = [each["messageId"] for each in reply.content["refused"]]
    assert ids == [*(f"bad-{n}" for n in range(8)), "", ""]
    stored = InboxMessage.objects.order_by("id").values_list("message_id", flat=True)
    assert list(stored) == [f"m-{n}" for n in range(10)]


def test_what_is_said_once_for_a_batch_cannot_be_blown_up_by_its_messages(
    collector: Collector,
) -> None:
    many = {"batch": [page(n) for n in range(1_000)], "context": {"a": "x" * 20_000}}
    few = {"batch": [page(1), page(2, name="x" * 20_000)], "context": {"a": "x" * 20_000}}

    blown_up = collector.post("/v1/batch", many)
    too_long = collector.post("/v1/batch", few)

    assert (blown_up.status, blown_up.code) == (413, "too_large")
    [refused] = too_long.content["refused"]
    assert (refused["index"], refused["code"], too_long.content["stored"]) == (1, "too_large", 1)


def test_clocks_that_are_merely_wrong_cost_no_message(collector: Collector) -> None:
    message = {"event": "Step", "anonymousId": "laptop"}
    for told in ("1970-01-01T00:00:00Z", "2199-12-31T23:59:59-12:00", "1900-01-01T00:00:00Z"):
        assert collector.post("/v1/t", {**message, "timestamp": told, "sentAt": told}).status == 200
        assert collector.post("/v1/t", {**message, "timestamp": told}).status == 200

    absorb_events(now=timezone.now())

    assert not InboxMessage.objects.exists()
    assert Event.objects.count() == 6


def test_a_gzip_bomb_is_cut_at_the_limit(collector: Collector) -> None:
    bomb = gzip.compress(b'{"batch": "' + b" " * 300_000_000 + b'"}')
    before = peak_megabytes(collector.worker)

    replies = [
        collector.post("/v1/batch", bomb, content_encoding="gzip"),
        collector.post("/v1/t", bomb, content_encoding="gzip"),
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(413, "too_large")] * 2
    assert peak_megabytes(collector.worker) - before < 10


def test_the_worst_input_costs_little_more_than_a_good_batch_of_its_size(
    collector: Collector,
) -> None:
    """``bench.collector`` says how many milliseconds; red (25 times) with no limit to brackets."""
    good = [page(n, properties={"a": "x" * 300}) for n in range(1_000)]
    worst = [
        b'{"batch": [' + b'{"a": ' * 100_000,
        b'{"batch": [' + b"[" * 500_000,
        b'{"batch": [' + (b"[NaN" + b",[]" * 10_000 + b"],") * 16 + b"{}]}",
        b'{"batch": [' + b'{"a":NaN},' * 40_000 + b"{}]}",
        b'{"batch": [' + b'"' + b"\\\\" * 250_000,
        b'{"a": ' + b"9" * 500_000 + b"}",
        b'{"a": "' + b"\\u0000" * 80_000 + b'"}',
    ]
    honest = work(collector, json.dumps({"batch": good}).encode(), statuses={200})
    for raw in worst:
        assert work(collector, raw, statuses={400, 413}) <= 5 * honest, raw[:30]


def work(collector: Collector, raw: bytes, *, statuses: set[int]) -> float:
    """Return the seconds of processor time that the collector spends on ten such batches."""
    before = processor_seconds(collector.worker)
    assert {collector.post("/v1/batch", raw).status for _ in range(10)} <= statuses
    return processor_seconds(collector.worker) - before


def test_memory_stays_flat_whatever_comes(collector: Collector) -> None:
    batch = {"batch": [page(n, properties={"a": ["x"] * 300}) for n in range(250)]}
    bodies = [b"[" * LARGEST_BATCH, b"x" * 7_000_000, json.dumps(batch).encode()]
    for body in bodies * 4:
        collector.post("/v1/batch", body)
    before = peak_megabytes(collector.worker)

    for body in bodies * 20:
        collector.post("/v1/batch", body)

    assert peak_megabytes(collector.worker) - before < 10
    assert peak_megabytes(collector.worker) < 100


def test_a_client_that_stops_in_the_middle_is_let_go_and_nothing_is_stored(
    collector: Collector,
) -> None:
    head = b"POST /v1/t HTTP/1.1\r\nHost: x\r\nAuthorization: Basic S0VZOg==\r\n"
    body = json.dumps(page(1)).encode()
    with socket.create_connection(("127.0.0.1", collector.port)) as client:
        client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:-5])
    with socket.create_connection(("127.0.0.1", collector.port)) as slow:
        slow.settimeout(20)
        slow.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:-5])
        began = time.monotonic()
        answer = slow.recv(4096)

    assert b" 408 " in answer.splitlines()[0]
    assert 9 <= time.monotonic() - began <= 15
    assert not InboxMessage.objects.exists()


def test_more_bytes_at_once_than_there_is_room_for_are_sent_away(
    running: Collector, collector: Collector
) -> None:
    head = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n{"
    waiting = []
    for _ in range(40):
        client = socket.create_connection(("127.0.0.1", collector.port))
        client.sendall(head)
        waiting.append(client)
    time.sleep(0.5)

    large = collector.post("/v1/batch", {"batch": [], "a": "x" * 450_000})
    for client in waiting:
        client.close()

    assert (large.status, large.code, large.headers["retry-after"]) == (503, "busy", "2")


def peak_megabytes(process: int) -> float:
    """Return the largest resident memory that a process had."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100

"""Requests and events a second, durable before the answer, against a bare ASGI echo and bare COPY.

Run it from the root of the repository: ``python -m bench.collector [--seconds 5] [--rounds 3]``.
Makes a database of its own beside the configured one (``baton_bench_collector``); collector, echo
and this load generator share the machine with it. Targets on a quiet machine with two cores: 5,000
single events/s and 0.2 of the echo, p99 60 ms; 40,000 events/s in batches of 100; 50 ms for the
batch that takes longest to refuse; below 120 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import psycopg
import uvloop

from bench.lists import await_port, free_port
from crm.embedded import location
from crm.embedded.children import Child, programs

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "collector.jsonl"
DATABASE = "baton_bench_collector"
ECHO = "bench.echo:application"
COLLECTOR = "engagement.collector.process:application"
BATCH = 100
#: Enough that requests arrive while others are committed, and little memory: a batch is 75 KB.
CONNECTIONS = {"single": 64, "batch": 16, "worst": 1}
#: What takes longest to refuse: all of it is read, and each of its many lists again.
WORST = b'{"batch": [' + (b"[NaN" + b",[]" * 10_000 + b"],") * 16 + b"{}]}"
SOURCE = """
    INSERT INTO engagement_source (name, label, kind, write_key, allowed_origins, rate_limit,
        address_rate_limit, asks_consent, is_active, created_at)
    VALUES ('bench', 'Bench', 'SERVER', 'BENCH', '{}', 100000000, 1, false, true, now())
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Load:
    """What one load brought: requests a second, milliseconds, and how many answers were not 200."""

    per_second: float
    p50: float
    p99: float
    refused: int


def main() -> None:
    """Measure all in turn, round after round; print and keep the figures of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    url = fresh_database()
    print(f"{'load':>6} {'echo/s':>9} {'single/s':>9} {'ratio':>6} {'p50 ms':>7} {'p99 ms':>7}"
          f" {'batched/s':>9} {'COPY/s':>9} {'ratio':>6} {'worst ms':>9} {'MB':>5}")  # fmt: skip
    with tempfile.TemporaryDirectory() as spool, served(COLLECTOR, url, spool) as collector:
        for _ in range(options.rounds):
            with served(ECHO, url, spool) as echo:
                figures = measure(url, collector, echo, options.seconds)
            show(figures)


def measure(
    url: str, collector: tuple[int, int], echo: tuple[int, int], seconds: float
) -> dict[str, Any]:
    """Return the figures of one round."""
    single = request_of("/v1/p", json_of(message(0)))
    batch = request_of("/v1/b", json_of(batch_of(BATCH)))
    bare = asyncio.run(load(echo[1], single, CONNECTIONS["single"], seconds))
    singles = asyncio.run(load(collector[1], single, CONNECTIONS["single"], seconds))
    batches = asyncio.run(load(collector[1], batch, CONNECTIONS["batch"], seconds))
    worst = asyncio.run(
        load(collector[1], request_of("/v1/b", WORST), CONNECTIONS["worst"], seconds)
    )
    if singles.refused or batches.refused or worst.refused != round(worst.per_second * seconds):
        sys.exit("The collector did not take everything, or took what it must refuse.")
    with psycopg.connect(url, autocommit=True) as connection:
        copy = bare_copy_per_second(connection)
        connection.execute("TRUNCATE engagement_inbox")
    return {
        "at": datetime.now(UTC).isoformat(),
        "machine_load": os.getloadavg()[0],
        "echo": asdict(bare),
        "single": asdict(singles),
        "ratio_to_echo": singles.per_second / bare.per_second,
        "batched_events_per_second": batches.per_second * BATCH,
        "batch": asdict(batches),
        "bare_copy_per_second": copy,
        "ratio_to_copy": batches.per_second * BATCH / copy,
        "worst": asdict(worst),
        "megabytes": megabytes(collector[0]),
    }


def show(figures: dict[str, Any]) -> None:
    """Print one round and keep it."""
    single = figures["single"]
    print(f"{figures['machine_load']:6.1f} {figures['echo']['per_second']:9,.0f}"
          f" {single['per_second']:9,.0f} {figures['ratio_to_echo']:6.2f}"
          f" {single['p50']:7.1f} {single['p99']:7.1f}"
          f" {figures['batched_events_per_second']:9,.0f}"
          f" {figures['bare_copy_per_second']:9,.0f} {figures['ratio_to_copy']:6.2f}"
          f" {figures['worst']['p50']:9.1f} {figures['megabytes']:5.0f}")  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        kept.write(json.dumps(figures) + "\n")


# --- The load: one request, sent again and again on connections that stay open --------------------


class Client(asyncio.Protocol):
    """One connection that sends the next request when the last one is answered."""

    def __init__(
        self, request: bytes, end: float, times: list[float], refused: list[bytes]
    ) -> None:
        self._request = request
        self._end = end
        self._times = times
        self._refused = refused
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take an answer, which is short enough to come in one piece."""
        now = time.perf_counter()
        self._times.append(now - self._sent_at)
        if not data.startswith(b"HTTP/1.1 200"):
            self._refused.append(data)
        if now < self._end:
            self._send()

    def _send(self) -> None:
        if self._transport:
            self._sent_at = time.perf_counter()
            self._transport.write(self._request)


async def load(port: int, request: bytes, connections: int, seconds: float) -> Load:
    """Send for so many seconds."""
    times: list[float] = []
    refused: list[bytes] = []
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds
    for _ in range(connections):
        await loop.create_connection(
            lambda: Client(request, end, times, refused), "127.0.0.1", port
        )
    await asyncio.sleep(seconds + 0.5)
    cuts = statistics.quantiles(times, n=100)
    return Load(len(times) / seconds, cuts[49] * 1000, cuts[98] * 1000, len(refused))


def message(number: int) -> dict[str, Any]:
    """Return a page view as a browser sends it, 770 bytes."""
    page = {
        "path": "/pricing",
        "referrer": "",
        "search": "",
        "title": "Pricing",
        "url": "https://www.halvorn.example/pricing",
    }
    return {
        "type": "page",
        "messageId": f"ajs-next-1779000000000-{number:036d}",
        "timestamp": "2026-05-28T12:40:00.123Z",
        "anonymousId": "0b6b1f4e-8b1a-4a51-9b52-1f2ad2f0c0de",
        "userId": None,
        "properties": page,
        "context": {
            "page": page,
            "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
            " (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
            "locale": "en-US",
            "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
            "timezone": "Europe/Berlin",
            "campaign": {"source": "google", "medium": "cpc"},
        },
        "integrations": {},
    }


def batch_of(count: int) -> dict[str, Any]:
    """Return a batch."""
    return {"batch": [message(n) for n in range(count)], "sentAt": "2026-05-28T12:40:01.000Z"}


def json_of(body: dict[str, Any]) -> bytes:
    """Return a body as browsers write it."""
    return json.dumps(body, separators=(",", ":")).encode()


def request_of(path: str, raw: bytes) -> bytes:
    """Return a whole request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic QkVOQ0g6\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


def bare_copy_per_second(connection: psycopg.Connection, most: int = 50_000) -> float:
    """Return how many of the stored messages a bare COPY writes into a table like theirs."""
    columns = "source, message_id, body, received_at, due_at, error, meta, sent_at"
    with connection.cursor() as cursor:
        query = f"SELECT {columns} FROM engagement_inbox LIMIT {most}"
        with cursor.copy(f"COPY ({query}) TO STDOUT") as out:
            rows = b"".join(out)
        cursor.execute("CREATE TABLE bare (LIKE engagement_inbox INCLUDING ALL)")
        started = time.perf_counter()
        with cursor.copy(f"COPY bare ({columns}) FROM STDIN") as into:
            into.write(rows)
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE bare")
    return rows.count(b"\n") / seconds


# --- Processes ------------------------------------------------------------------------------------


def fresh_database(name: str = DATABASE) -> str:
    """Return the URL of a migrated database with a source."""
    url = urlsplit(os.environ.get("DATABASE_URL") or location.database_url())
    with psycopg.connect(urlunsplit(url), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    ours = urlunsplit(url._replace(path=f"/{name}"))
    command = [sys.executable, "-m", "django", "migrate", "-v0"]
    subprocess.run(command, check=True, cwd=ROOT, env=environment(ours))
    with psycopg.connect(ours, autocommit=True) as connection:
        connection.execute(SOURCE)
    return ours


@contextmanager
def served(application: str, url: str, spool: str) -> Iterator[tuple[int, int]]:
    """Serve an application as ``up`` serves the collector; give its process id and its port."""
    port = free_port()
    child = collector_child(port)
    arguments = [application if word == COLLECTOR else word for word in child.arguments]
    process = subprocess.Popen(arguments, cwd=ROOT, env={**environment(url), "BATON_SPOOL": spool})
    try:
        await_port(port)
        time.sleep(1)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(timeout=20)


def collector_child(port: int) -> Child:
    """Return how ``up`` runs the collector."""
    return next(each for each in programs(port=0, collector_port=port) if each.name == "collector")


def environment(url: str) -> dict[str, str]:
    """Return the environment of a process of ours on the database at ``url``."""
    ours = {"BATON_MODE": "local", "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "crm.settings"}
    return {**os.environ, **ours, "PYTHONPATH": str(ROOT), "BATON_LOG_LEVEL": "WARNING"}


def megabytes(process: int) -> float:
    """Return the largest resident memory so far of the collector and the process that guards it."""
    family = [process, *children_of(process)]
    return sum(peak_kilobytes(each) for each in family) / 1024


def children_of(process: int) -> list[int]:
    """Return the ids of the direct children of a process; Linux only."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in listed.split()]


def peak_kilobytes(process: int) -> int:
    """Return the largest resident memory of a process so far; Linux only."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


if __name__ == "__main__":
    uvloop.install()
    main()

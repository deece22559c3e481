"""Milliseconds from sending an event to its place on a lead's timeline, through real processes.

Run it from the root of the repository: ``python -m bench.latency [--events 120]``. Starts a
collector, a broker, workers and beat as ``up`` does, on a database of its own, and sends one event
after the other at odd moments. An event is on the timeline as soon as it is committed with its
lead; one is due for scoring in the same commit. Target: p95 at most 2 s.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from bench.collector import COLLECTOR, fresh_database, served
from crm.embedded.location import give_to_service_account, redis_url
from crm.embedded.servers import running
from crm.embedded.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "latency.jsonl"
HEADERS = {"Content-Type": "application/json", "Authorization": "Basic QkVOQ0g6"}  # BENCH:
DATABASE = "baton_bench_latency"
LEAD = {"email": "ines@firm.example"}
LONGEST_WAIT = 30
ARRIVED = "SELECT count(*) FROM engagement_event WHERE lead_id IS NOT NULL AND name = %s"


def main() -> None:
    """Start everything, send, and print and keep the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=120)
    options = parser.parse_args()
    url = fresh_database(DATABASE)
    with tempfile.TemporaryDirectory(prefix="baton-") as state:
        give_to_service_account(Path(state))
        os.environ |= {"BATON_STATE_DIR": state, "DATABASE_URL": url}
        with running([Valkey()]), served(COLLECTOR, url, state) as (_, port), background():
            waits = sorted(measure(url, port, options.events))
    figures = {
        "at": datetime.now(UTC).isoformat(),
        "machine_load": os.getloadavg()[0],
        "events": len(waits),
        "p50": statistics.median(waits),
        "p95": waits[int(len(waits) * 0.95)],
        "longest": waits[-1],
    }
    print(f"{'load':>6} {'events':>7} {'p50 ms':>7} {'p95 ms':>7} {'longest':>8}")
    print(f"{figures['machine_load']:6.1f} {len(waits):7} {figures['p50']:7.0f}"
          f" {figures['p95']:7.0f} {figures['longest']:8.0f}")  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        kept.write(json.dumps(figures) + "\n")


@contextmanager
def background() -> Iterator[None]:
    """Run workers and beat as ``up`` does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "crm.embedded.background"], cwd=ROOT,
        env={**os.environ, "BATON_MODE": "local", "REDIS_URL": redis_url()},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def measure(url: str, port: int, count: int) -> Iterator[float]:
    """Yield the milliseconds of each event."""
    rng = Random(1)
    with psycopg.connect(url, autocommit=True) as database:
        send(port, {"type": "identify", "traits": LEAD})
        while database.execute("SELECT FROM leads_lead").fetchone() is None:
            time.sleep(0.1)  # until everything runs
        for number in range(count):
            time.sleep(rng.random())
            name = f"Page {number}"
            started = time.perf_counter()
            send(port, {"type": "page", "name": name, "context": {"traits": LEAD}})
            while database.execute(ARRIVED, [name]).fetchone() == (0,):
                if time.perf_counter() - started > LONGEST_WAIT:
                    sys.exit("An event did not arrive.")
                time.sleep(0.005)
            yield (time.perf_counter() - started) * 1000


def send(port: int, body: dict[str, Any]) -> None:
    """Send one message and go on once it is acknowledged."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    message = {"anonymousId": "bench", "timestamp": datetime.now(UTC).isoformat(), **body}
    connection.request("POST", f"/v1/{body['type']}", json.dumps(message), HEADERS)
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        sys.exit(f"The collector said {answer.status}: {answer.read()!r}")
    connection.close()


if __name__ == "__main__":
    main()

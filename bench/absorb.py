"""Events a second from the inbox into the log, and the ratio to a bare COPY of the same rows.

Run it from the root of the repository: ``python -m bench.absorb [--leads 10000] [--events 40000]``.
Works on a copy of the demo company of that size (``baton_bench_10000``, seeded once); one message
in twenty identifies its visitor, the others are page views of visitors, known and new. Target:
10,000 events/s with 1 M leads on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bench.lists import database_of, seed

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "absorb.jsonl"
COPY = "baton_bench_absorb"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"


def main() -> None:
    """Seed when needed, copy the database, and measure in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--step", choices=["seed", "measure"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        os.environ.setdefault("BATON_MODE", "local")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
        import django  # noqa: PLC0415 -- after the environment is set

        django.setup()
        seed(options.leads) if options.step == "seed" else measure(options.leads, options.events)
        return
    seeded = database_of(options.leads)
    run_step("seed", seeded, options)
    run_step("measure", fresh_copy(seeded), options)


def run_step(step: str, url: str, options: argparse.Namespace) -> None:
    """Run one step on the database at ``url``."""
    subprocess.run(
        [sys.executable, "-m", "bench.absorb", f"--step={step}",
         f"--leads={options.leads}", f"--events={options.events}"],
        check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": url},
    )  # fmt: skip


def fresh_copy(seeded: str) -> str:
    """Return the URL of a copy of a database, so that every run starts from the same rows."""
    import psycopg  # noqa: PLC0415 -- slow import

    url = urlsplit(seeded)
    template = url.path.lstrip("/")
    with psycopg.connect(urlunsplit(url._replace(path="/postgres")), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{COPY}"')
        server.execute(f'CREATE DATABASE "{COPY}" TEMPLATE "{template}"')
    return urlunsplit(url._replace(path=f"/{COPY}"))


def measure(leads: int, events: int) -> None:
    """Take in and absorb, copy the same rows, print and keep the figures."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from engagement.services import BATCH, absorb_events, receive  # noqa: PLC0415 -- app ready

    now = timezone.now()
    written = list(messages(events, now))
    started = time.perf_counter()
    receive(source="bench", messages=written, received_at=now)
    intake = time.perf_counter() - started
    started, used = time.perf_counter(), time.process_time()
    while absorb_events(now=now) == BATCH:
        pass
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    bare = copy_again(now)
    figures = {
        "leads": leads, "events": events, "intake_per_second": events / intake,
        "absorbed_per_second": events / seconds, "absorbed_per_cpu_second": events / cpu,
        "bare_copy_per_second": events / bare, "ratio": seconds / bare,
    }  # fmt: skip
    print(
        f"{'leads':>10} {'intake/s':>10} {'absorbed/s':>11} {'CPU/s':>8} {'COPY/s':>8} {'ratio':>6}"
    )
    print(
        f"{leads:10,} {events / intake:10,.0f} {events / seconds:11,.0f} {events / cpu:8,.0f}"
        f" {events / bare:8,.0f} {seconds / bare:6.1f}"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        kept.write(json.dumps(figures) + "\n")


def messages(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Return messages as browsers send them, over the last month."""
    from leads.models import Lead  # noqa: PLC0415 -- app ready

    rng = Random(1)
    known = list(Lead.objects.exclude(email=None).values_list("email", flat=True)[:20_000])
    for number in range(count):
        visitor = rng.randrange(count // 4)
        body: dict[str, Any] = {
            "messageId": f"bench-{number}",
            "anonymousId": f"bench-{visitor}",
            "timestamp": (now - timedelta(minutes=rng.uniform(1, 40_000))).isoformat(),
            "context": {
                "userAgent": BROWSER,
                "page": {"url": "https://www.halvorn.example/pricing"},
            },
        }
        if number % 20 == 0:
            yield {**body, "type": "identify", "traits": {"email": known[visitor % len(known)]}}
        else:
            yield {**body, "type": "page", "properties": {"title": "Pricing"}}


def copy_again(now: datetime) -> float:
    """Return the seconds of a bare COPY of the absorbed events into the same partitions."""
    from django.db import connection, transaction  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor, transaction.atomic():
        query = f"SELECT * FROM engagement_event WHERE received_at = '{now.isoformat()}'"
        with cursor.copy(f"COPY ({query}) TO STDOUT") as out:
            rows = b"".join(out)
        cursor.execute("CREATE TABLE bare (LIKE engagement_event INCLUDING ALL)")
        started = time.perf_counter()
        with cursor.copy("COPY bare FROM STDIN") as into:
            into.write(rows)
        seconds = time.perf_counter() - started
        transaction.set_rollback(True)
    return seconds


if __name__ == "__main__":
    main()

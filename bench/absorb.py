"""Events a second from the inbox into the log, against a bare COPY of the same rows.

Run it from the root of the repository: ``python -m bench.absorb [--leads 10000 1000000]``. Each
size gets a database of its own, seeded by bare SQL with two events and a linked browser for each
lead, and dropped afterwards. The messages are what the collector writes to the inbox of a website,
each with the address that its browser has: visits of four pages, three in ten by those of leads,
of which half identify themselves again, the others by strangers, of whom one in a hundred is
captured. Two processes absorb, as in ``up``; beside what the clock says stands the processor time
of an event, in them and in their PostgreSQL backends, since other work on the machine slows the
clock's figures. Targets with 1 M leads: 10,000 events/s; the exponent from 10,000 to 1 M leads at
most 0.25.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from bench.seed import LEADS, database, fill, start_django

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "absorb.jsonl"
DATABASE = "baton_bench_absorb"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
SITE = "bench"
KNOWN, CAPTURED = 0.3, 0.01
WORKERS = 2

TAKE_IN = """
COPY engagement_inbox (source, message_id, body, received_at, meta, due_at, error) FROM STDIN
"""
#: After the leads: a browser of each, linked to it, and two events.
SEED = """
INSERT INTO engagement_source (name, label, kind, write_key, allowed_origins, rate_limit,
    address_rate_limit, asks_consent, is_active, created_at)
SELECT '{site}', 'Bench', 'WEBSITE', 'bench', '{{}}', 1000, 50, false, true, now();
INSERT INTO engagement_visitor (source, name, first_seen_at, last_seen_at, identified_at, lead_id)
SELECT '', 'browser-' || id, created_at, created_at, created_at, id FROM leads_lead ORDER BY id;
INSERT INTO engagement_visitorlink (visitor_id, lead_id, reason, evidence, made_at, proven_at)
SELECT id, lead_id, 'FORM', 'Seed', identified_at, identified_at FROM engagement_visitor
ORDER BY id;
UPDATE engagement_visitor visitor SET link_id = link.id
FROM engagement_visitorlink link WHERE link.visitor_id = visitor.id;
INSERT INTO engagement_event (id, occurred_at, received_at, lead_id, visitor_id, link_id, kind,
    url)
SELECT gen_random_uuid(), at - interval '1 day' * age, at, lead_id, id, link_id, 'PAGE_VIEW',
    'https://www.halvorn.example/pricing'
FROM engagement_visitor, generate_series(0, 1) age, LATERAL (SELECT first_seen_at AS at) seen;
INSERT INTO engagement_event_key (source, message_id, event_id)
SELECT '{site}', 'seed-' || row_number() OVER (), id FROM engagement_event;
"""


def main() -> None:
    """Measure every size in a process of its own, since Django reads its database once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--keep", action="store_true", help="keep the database and seed only once")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work()
        return
    if options.measure:
        measure(options.measure, options.events)
        return
    print(
        f"{'leads':>10} {'absorbed/s':>11} {'Python us':>10} {'database us':>12}"
        f" {'COPY/s':>9} {'ratio':>6} {'batch ms':>9}"
    )
    batches = [measured(size, options.events, keep=options.keep) for size in options.leads]
    if len(batches) > 1:
        growth = math.log10(batches[-1] / batches[0])
        decades = math.log10(options.leads[-1] / options.leads[0])
        print(f"exponent of a batch: {growth / decades:.3f} (at most 0.25)")


def measured(leads: int, events: int, *, keep: bool) -> float:
    """Return the milliseconds of a batch among ``leads``."""
    with database(f"{DATABASE}_{leads}", keep=keep) as url:
        done = subprocess.run(
            [sys.executable, "-m", "bench.absorb", f"--measure={leads}", f"--events={events}"],
            check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
    figures = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{leads:10,} {figures['absorbed_per_second']:11,.0f}"
        f" {figures['python_us']:10.0f} {figures['database_us']:12.0f}"
        f" {figures['bare_copy_per_second']:9,.0f}"
        f" {figures['ratio']:6.1f} {figures['batch_ms']:9.0f}",
        flush=True,
    )
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        kept.write(json.dumps(figures) + "\n")
    return float(figures["batch_ms"])


def measure(leads: int, events: int) -> None:
    """Take in, absorb by two processes as ``up`` has them, and print the figures as JSON."""
    start_django()
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from engagement.services import BATCH  # noqa: PLC0415 -- app ready

    people = LEADS.format(leads=leads, title="''", country="'DE'", company="NULL::bigint")
    fill(people + SEED.format(site=SITE))
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.absorb", "--work"], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(WORKERS)
    ]  # fmt: skip
    run = f"{timezone.now():%Y%m%d%H%M%S}"
    for name, count in (("warm-up", 4 * BATCH), ("run", events)):
        now = timezone.now()
        sent = messages(f"{run}-{name}", count, leads, now)
        take_in(sent)
        started = time.perf_counter()
        done = rounds(workers)
        seconds = time.perf_counter() - started
    for worker in workers:
        worker.communicate()
    bare = copy_again(events)
    figures = {
        "leads": leads, "events": events, "absorbed_per_second": events / seconds,
        "python_us": sum(each["python"] for each in done) / events * 1e6,
        "database_us": sum(each["database"] for each in done) / events * 1e6,
        "bare_copy_per_second": events / bare, "ratio": seconds / bare,
        "batch_ms": sum(each["busy"] for each in done) / events * BATCH * 1000,
    }  # fmt: skip
    print(json.dumps(figures))


def rounds(workers: list[subprocess.Popen[str]]) -> list[dict[str, float]]:
    """Have each worker absorb until nothing is left; return what each of them used."""
    for worker in workers:
        print("go", file=worker.stdin, flush=True)
    return [json.loads(worker.stdout.readline()) for worker in workers if worker.stdout]


def work() -> None:
    """Be a worker: for each line absorb everything that is due, and tell the seconds it took."""
    start_django()
    from django.db import connection  # noqa: PLC0415 -- app ready
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from engagement.services import BATCH, absorb_events  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()
    for _ in sys.stdin:
        started, python, database = time.perf_counter(), time.process_time(), cpu_of(backend)
        while absorb_events(now=timezone.now()) == BATCH:
            pass
        used = {
            "busy": time.perf_counter() - started,
            "python": time.process_time() - python,
            "database": cpu_of(backend) - database,
        }
        print(json.dumps(used), flush=True)


def cpu_of(pid: int) -> float:
    """Return the processor seconds of a process on this machine; 0 when it is elsewhere."""
    try:
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def messages(run: str, count: int, leads: int, now: datetime) -> list[dict[str, Any]]:
    """Return messages as a tracker sends them: visits of the last hour, four pages each."""
    rng = Random(run)
    visits = [message for n in range(count // 4) for message in visit(f"{run}-{n}", rng, leads)]
    visits.sort(key=itemgetter("timestamp"))
    start = now - timedelta(hours=1, minutes=5)
    for message in visits:
        at = start + timedelta(seconds=message["timestamp"])
        message["timestamp"] = at.isoformat(timespec="milliseconds")
    return visits


def visit(name: str, rng: Random, leads: int) -> Iterator[dict[str, Any]]:
    """Yield the messages of one visit; their timestamps are seconds."""
    lead, kind = rng.randint(1, leads), rng.random()
    browser = f"browser-{lead}" if kind < KNOWN else name
    start = rng.uniform(0, 3600)
    for page in range(4):
        body: dict[str, Any] = {
            "messageId": f"{name}-{page}",
            "anonymousId": browser,
            "type": "page",
            "properties": {"title": "Pricing", "path": "/pricing"},
            "timestamp": start + 30 * page,
            "context": {
                "userAgent": BROWSER,
                "locale": "de-DE",
                "page": {
                    "url": "https://www.halvorn.example/pricing",
                    "referrer": "https://www.halvorn.example/",
                },
            },
        }
        if page == 1 and kind < KNOWN / 2:
            address = f"lead{lead}@firm{lead % 50000}.example"
            body |= {"type": "identify", "traits": {"email": address}}
        elif page == 1 and kind > 1 - CAPTURED:
            body |= {"type": "identify", "traits": {"email": f"{name}@new.example"}}
        yield body


def take_in(sent: list[dict[str, Any]]) -> None:
    """Write messages to the inbox when they were sent, with what the request of each told."""
    from django.db import connection  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor, cursor.copy(TAKE_IN) as copy:
        for body in sent:
            address = IPv4Address(crc32(body["anonymousId"].encode()))
            meta = {"address": str(address), "agent": BROWSER}
            at = body["timestamp"]
            copy.write_row(
                (SITE, body["messageId"], json.dumps(body), at, json.dumps(meta), at, "")
            )


def copy_again(events: int) -> float:
    """Return the seconds of a bare COPY of the last events into a table of the same indexes."""
    from django.db import connection, transaction  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor, transaction.atomic():
        query = f"SELECT * FROM engagement_event ORDER BY occurred_at DESC LIMIT {events}"
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

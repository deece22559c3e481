"""A back-test over a company's history, against a bare scan of the same log in the same run.

Run it from the root of the repository: ``python -m bench.backtest [--leads 100000]``. It makes a
database of its own beside the configured one, with 20 events for each lead. Targets: at most 60 s
for 100,000 leads with 2 million events. The ratio is to reading the acts of the period once and
adding up their decayed points per lead, which no way of finding anything could avoid.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

from bench.seed import LEADS, database, fill, start_django

ROOT = Path(__file__).resolve().parent.parent
EVENTS_EACH = 20
WORKERS = 2
_TITLES = (
    "(ARRAY['Head of Maintenance', 'Plant director', 'Automation engineer', 'Buyer', 'Student',"
    " 'Maintenance technician', 'Accountant', 'Sales manager', 'Purchasing', 'Owner'])[1 + n % 10]"
)
#: Captured over half a year; what they do gets rarer with the days since. One in three became
#: an MQL, half of them an SQL; one in ten told its title later, one in fifty took its consent back.
_HISTORY = f"""
UPDATE leads_lead
SET created_at = now() - interval '1 day'
    - interval '166 days' * id / (SELECT max(id) FROM leads_lead);
UPDATE leads_stageinterval stage SET started_at = lead.created_at
FROM leads_lead lead WHERE lead.id = stage.lead_id;
UPDATE leads_stageinterval stage SET ended_at = lead.created_at + interval '20 days'
FROM leads_lead lead WHERE lead.id = stage.lead_id AND sequence = 1
    AND lead.id % 3 = 0 AND lead.created_at < now() - interval '30 days';
INSERT INTO leads_stageinterval (lead_id, sequence, stage, cycle, started_at, ended_at, rule,
    reason, is_override, is_imported, cell)
SELECT id, place, step.stage, 1, created_at + interval '18 days' + interval '1 day' * place,
    CASE WHEN id % 2 = 0 AND place < 4
        THEN created_at + interval '19 days' + interval '1 day' * place END,
    'Seed', '', false, false, ''
FROM leads_lead lead CROSS JOIN (VALUES (2, 'MQL'), (3, 'SAL'), (4, 'SQL')) AS step (place, stage)
WHERE id % 3 = 0 AND created_at < now() - interval '30 days' AND (place = 2 OR id % 2 = 0);
UPDATE leads_lead lead SET stage = stay.stage, stage_since = stay.started_at
FROM leads_stageinterval stay WHERE stay.lead_id = lead.id AND stay.ended_at IS NULL;
INSERT INTO leads_leadfact (lead_id, field, value, recorded_at)
SELECT id, field, value, created_at FROM leads_lead, LATERAL (VALUES
    ('country', to_jsonb(country)), ('title', to_jsonb(title))) AS fact (field, value);
UPDATE leads_leadfact SET recorded_at = least(recorded_at + interval '9 days', now())
WHERE field = 'title' AND lead_id % 10 = 0;
INSERT INTO leads_consent
    (lead_id, purpose, is_granted, text, text_hash, source, asked_at, given_at)
SELECT id, 'CONTACT', false, '', '', 'a benchmark', at, at
FROM leads_lead, LATERAL (SELECT least(created_at + interval '20 days', now()) AS at) t
WHERE id % 50 = 0;
INSERT INTO engagement_event (id, occurred_at, received_at, lead_id, kind, name, funnel_stage, url,
    properties, actor, actor_reason, clock_fault, touch)
SELECT gen_random_uuid(), at, at, lead.id,
    (ARRAY['PAGE_VIEW', 'PAGE_VIEW', 'PAGE_VIEW', 'PAGE_VIEW', 'PAGE_VIEW', 'EMAIL_OPEN',
           'EMAIL_CLICK', 'DOWNLOAD', 'WEBINAR_REGISTERED', 'FORM_SUBMIT'])[1 + n * 7 % 10], '',
    (ARRAY['', 'TOFU', 'TOFU', 'TOFU', 'MOFU', 'MOFU', 'BOFU'])[1 + (n + lead.id) % 7], '', '{{}}',
    'HUMAN', '', '', '{{}}'
FROM leads_lead lead CROSS JOIN generate_series(1, {EVENTS_EACH}) n, LATERAL (
    SELECT least(created_at + interval '60 days' * random() * random() ^ (n % 3), now()) AS at) t;
"""
_SCAN = """
    SELECT count(*) FROM (
        SELECT lead_id, sum(8 * exp(-5.7e-7 * date_part('epoch', now() - occurred_at)))
        FROM engagement_event
        WHERE actor = 'HUMAN' AND received_at >= now() - interval '180 days' GROUP BY lead_id
    ) AS summed
"""


def main() -> None:
    """Make the database, and measure in a process of its own that sees it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--keep", action="store_true", help="keep the database for the next run")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.leads)
        return
    with database(f"baton_bench_backtest_{options.leads}", keep=options.keep) as url:
        subprocess.run(
            [sys.executable, "-m", "bench.backtest", "--measure", f"--leads={options.leads}"],
            check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": url},
        )  # fmt: skip


def measure(leads: int) -> None:
    """Fill the database when it is new, run one back-test, and print its seconds."""
    start_django()
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from scoring import services  # noqa: PLC0415 -- app ready

    fill(LEADS.format(leads=leads, title=_TITLES, country="'DE'", company="NULL") + _HISTORY)
    services.ensure_model(now=timezone.now())
    scan, draft = _seconds_of_scan(), _draft()
    with _workers():
        began = time.perf_counter()
        back_test = services.start_back_test(model_id=draft, actor=None, now=timezone.now())
        while not back_test.is_finished:
            time.sleep(0.05)
            back_test.refresh_from_db()
        seconds = time.perf_counter() - began
    print(
        f"{back_test.state} {back_test.error}: {back_test.results['cycles']:,} cycles, MQLs",
        end=" ",
    )
    print({side: figures["mqls"] for side, figures in back_test.results["sides"].items()})
    print(f"back-test {seconds:.1f} s, ratio to the scan {seconds / scan:.1f} ({scan:.2f} s)")


@contextmanager
def _workers() -> Iterator[None]:
    """Keep as many processes at work as the worker for such tasks has."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Barrier(WORKERS + 1), context.Event()
    workers = [context.Process(target=_work, args=(ready, stop)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    ready.wait()
    try:
        yield
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def _work(ready: Barrier, stop: Event) -> None:
    start_django()
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from scoring import services  # noqa: PLC0415 -- app ready

    ready.wait()
    while not stop.is_set():
        if not services.run_back_tests(now=timezone.now()):
            time.sleep(0.05)


def _seconds_of_scan() -> float:
    from django.db import connection  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
        cursor.execute(_SCAN)
        began = time.perf_counter()
        cursor.execute(_SCAN)
        return time.perf_counter() - began


def _draft() -> int:
    """Make a draft that differs by a cell and by the points of a rule."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from scoring.presets import default_definition  # noqa: PLC0415 -- app ready
    from scoring.services import create_draft  # noqa: PLC0415 -- app ready

    document = deepcopy(default_definition())
    document["mql"]["cells"].append("B3")
    document["engagement"]["groups"][1]["rules"][0]["points"] = 10
    return create_draft(definition=document, now=timezone.now()).pk


if __name__ == "__main__":
    main()

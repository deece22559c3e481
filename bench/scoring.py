"""Scores of many leads against bare SQL: the re-score, what is due, pages meanwhile.

Run it from the root of the repository: ``python -m bench.scoring [--leads 50000 1000000]``. Each
size gets a database of its own, seeded by bare SQL with ten events a lead and dropped afterwards.
The bare statement sums the decayed acts of each lead and writes the sum into the table of scores;
it runs with the memory that a re-score has. Targets with 1 M leads: a re-score at most 4 times the
bare statement; 1,000 due leads of 20 events each 250 ms; the explanation page p50 60 ms; a sweep
with nothing due 5 ms; while a re-score runs a list page at most 2 times its p50, and sweeps over
deadlines at most 5 s apart; time alone moves only rows of which something shown changes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from bench.lists import cookie_of, times, web_process
from bench.seed import LEADS, database, fill, start_django

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "scoring.jsonl"
DATABASE = "baton_bench_scoring"
DUE, FEW, ROUNDS = 1_000, 20, 5
PLANNED = 6  # rounds after which a connection knows its plans, as that of a worker does
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
TITLE = (
    "(ARRAY['', 'Head of maintenance', 'Reliability engineer', 'Plant director', 'OT architect',"
    " 'Automation engineer', 'Student', 'Quality manager', 'Purchasing manager', 'Controller',"
    " 'Operations manager', 'Maintenance planner'])[1 + n % 12]"
)
COUNTRY = "(ARRAY['DE', 'AT', 'CH', 'FR', 'PL', 'US', ''])[1 + n % 7]"

COMPANIES = """
INSERT INTO leads_company (name, website, country, city, industry, employees, attributes,
    created_at)
SELECT 'Firm ' || n, '', 'DE', '', (ARRAY['Chemicals', 'Food', 'Energy'])[1 + n % 3], n % 900,
    '{{}}', now() - interval '1 year'
FROM generate_series(0, 49999) n;
"""

#: Half of the leads did nothing or next to nothing, a tenth do two thirds of all.
SEED = """
SELECT setseed(0.4);
INSERT INTO leads_leadfact (lead_id, field, value, recorded_at)
SELECT id, 'title', to_jsonb(title), created_at FROM leads_lead WHERE title <> '';
INSERT INTO engagement_asset (name, slug, kind, funnel_stage, persona, is_archived)
SELECT 'Asset ' || n, 'asset-' || n, 'GUIDE', stage, '', false
FROM generate_series(0, 199) n,
    LATERAL (SELECT (ARRAY['BOFU', 'MOFU', 'MOFU', 'TOFU', 'TOFU'])[1 + n % 5] AS stage) of_asset;
WITH act AS MATERIALIZED (
    SELECT lead.id AS lead_id, created_at + (now() - created_at) * random() AS at,
        random() AS dice, random() AS luck, floor(random() * 200)::int AS number
    FROM leads_lead lead,
        LATERAL (SELECT lead.id * 0.6180339887498949 % 1 AS place) placed,
        generate_series(1, CASE WHEN lead.id = 1 THEN 1000 WHEN place < 0.5 THEN place * 6 - 0.5
            WHEN place < 0.9 THEN 2 + (place - 0.5) * 45
            WHEN place < 0.99 THEN 20 + (place - 0.9) * 450
            ELSE 100 + (place - 0.99) * 10000 END::int)
    ORDER BY at
), told AS (
    SELECT *, CASE WHEN dice < 0.60 THEN 'PAGE_VIEW' WHEN dice < 0.70 THEN 'PAGE_READ'
        WHEN dice < 0.80 THEN 'EMAIL_OPEN' WHEN dice < 0.85 THEN 'EMAIL_CLICK'
        WHEN dice < 0.92 THEN 'DOWNLOAD' WHEN dice < 0.94 THEN 'WEBINAR_REGISTERED'
        WHEN dice < 0.955 THEN 'WEBINAR_ATTENDED' WHEN dice < 0.965 THEN 'WEBINAR_NO_SHOW'
        WHEN dice < 0.975 THEN 'FORM_SUBMIT' WHEN dice < 0.985 THEN 'NEWSLETTER_SIGNUP'
        WHEN dice < 0.995 THEN 'IDENTIFY' WHEN dice < 0.998 THEN 'UNSUBSCRIBE'
        ELSE 'DEMO_REQUEST' END AS kind
    FROM act
)
INSERT INTO engagement_event (id, occurred_at, received_at, lead_id, asset_id, kind, name,
    funnel_stage, url, properties, actor)
SELECT gen_random_uuid(), at, at + interval '1 second', lead_id, asset.id, told.kind,
    'Pricing and plans', coalesce(asset.funnel_stage, ''),
    'https://www.halvorn.example/products/asset-' || told.number,
    jsonb_build_object('title', 'Pricing and plans', 'path', '/products/asset-' || told.number),
    CASE WHEN luck < 0.9 THEN 'HUMAN' WHEN luck < 0.98 THEN 'MACHINE' ELSE 'UNKNOWN' END
FROM told LEFT JOIN engagement_asset asset ON asset.slug = 'asset-' || told.number
    AND told.kind IN ('PAGE_VIEW', 'PAGE_READ', 'DOWNLOAD', 'WEBINAR_ATTENDED') AND luck < 0.6
ORDER BY at;
"""
BARE = """
UPDATE scoring_leadscore score SET engagement_score = least(coalesce(found.decayed, 0), 100)
FROM leads_lead lead LEFT JOIN (
    SELECT lead_id, sum(exp(-5.7e-7 * date_part('epoch', now() - occurred_at))) AS decayed
    FROM engagement_event WHERE actor = 'HUMAN' GROUP BY lead_id
) AS found ON found.lead_id = lead.id
WHERE score.lead_id = lead.id
"""
#: Leads outside of the definition, whom no buying act moves either: a move costs what it costs.
BUSY = """
SELECT lead_id FROM engagement_event JOIN scoring_leadscore USING (lead_id)
WHERE NOT meets_definition
GROUP BY lead_id HAVING count(*) = 20 AND count(*) FILTER (WHERE kind = 'DEMO_REQUEST') = 0
ORDER BY lead_id LIMIT %s
"""
#: What lists and the lead page show of a score.
SHOWN = """
SELECT lead_id, fit_score, persona, floor(engagement_score), cell, meets_definition, drops_out_at,
    floor(engagement_score) - floor(engagement_week_ago)
FROM scoring_leadscore WHERE lead_id = ANY(%s)
"""
FORGET_BEATS = "DELETE FROM common_heartbeat WHERE loop = 'enforce_deadlines'"
LATEST_BEAT = "SELECT succeeded_at FROM common_heartbeat WHERE loop = 'enforce_deadlines'"


def main() -> None:
    """Measure every size in a process of its own, since Django reads its database once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, nargs="+", default=[50_000, 1_000_000])
    parser.add_argument("--keep", action="store_true", help="keep the database and seed only once")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--renew", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.renew:
        start_django()
        renew()
    elif options.measure:
        measure(options.measure)
    else:
        for leads in options.leads:
            with database(f"{DATABASE}_{leads}", keep=options.keep) as url:
                subprocess.run(
                    [sys.executable, "-m", "bench.scoring", f"--measure={leads}"],
                    check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": url},
                )  # fmt: skip


def measure(leads: int) -> None:
    """Seed when needed, take all figures, print and keep them."""
    start_django()
    people = LEADS.format(leads=leads, title=TITLE, country=COUNTRY, company="1 + n % 50000")
    if fill(COMPANIES.format() + people + SEED.format()):
        publish_another()
        renew()
    bare, full = rescored()
    figures = {"leads": leads, "bare_s": bare, "full_s": full, "full_ratio": full / bare}
    tell("full re-score, s", full, "at most 4 times", bare)
    run("UPDATE scoring_leadscore SET score_due_at = NULL WHERE score_due_at IS NOT NULL")
    run("VACUUM ANALYZE scoring_leadscore")
    for taken in (swept(), paged()):
        figures |= taken
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        kept.write(json.dumps(figures) + "\n")


def tell(name: str, value: float, target: str, beside: float | None = None) -> None:
    """Print a figure, and the one it is held against."""
    ratio = f"{beside:10,.2f} {value / beside:7.2f}" if beside else " " * 18
    print(f"{name:42} {value:10,.2f} {ratio}   {target}", flush=True)


def rescored() -> tuple[float, float]:
    """Return the seconds of the bare statement and of a full re-score under another model."""
    from scoring.services.renewal import SETTINGS  # noqa: PLC0415 -- app ready

    run("VACUUM ANALYZE scoring_leadscore")
    run("CHECKPOINT")
    run(SETTINGS.replace("SET LOCAL", "SET"))
    bare = seconds(lambda: run(BARE))
    run("RESET ALL")
    run("VACUUM ANALYZE scoring_leadscore")
    run("CHECKPOINT")
    publish_another()
    return bare, seconds(renew)


def publish_another() -> None:
    """Put the shipped model in force with other points for a frequent act; nobody is asked."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from scoring.models import ScoringModel  # noqa: PLC0415 -- app ready
    from scoring.presets import default_definition  # noqa: PLC0415 -- app ready
    from scoring.services import create_draft, put_in_force  # noqa: PLC0415 -- app ready

    definition: Any = default_definition()
    [pages] = [each for each in definition["engagement"]["groups"] if each["cap"] == 25]
    pages["rules"][0]["points"] = 6 + ScoringModel.objects.count() % 3
    now = timezone.now()
    put_in_force(create_draft(definition=definition, now=now), now=now)


def renew() -> None:
    """Renew all scores, as the worker does."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from scoring.services import renew_scores  # noqa: PLC0415 -- app ready

    while renew_scores(now=timezone.now()):
        pass


def swept() -> dict[str, float]:
    """Return the figures of sweeps: many due, nothing due, time passing."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from scoring.services import mark_due, score_due_leads  # noqa: PLC0415 -- app ready

    busy = [lead_id for (lead_id,) in run(BUSY, [DUE])]
    taken = []
    for _ in range(PLANNED + ROUNDS):
        now = timezone.now()
        mark_due(lead_ids=busy, now=now)
        taken.append(1000 * seconds(partial(score_due_leads, now=now)))
    due = statistics.median(taken[PLANNED:])
    idle = statistics.median(times(lambda: score_due_leads(now=now), ROUNDS))
    written, changed = faded(busy, now)
    tell(f"{len(busy):,} due leads, ms", due, "at most 250")
    tell("sweep with nothing due, ms", idle, "at most 5")
    tell("rows that time moved, and what they show", written, "the same", changed)
    return {"due": len(busy), "due_ms": due, "idle_ms": idle, "moved": written, "changed": changed}


def faded(lead_ids: list[int], start: datetime) -> tuple[int, int]:
    """Return how many rows a week of sweeps wrote, and in how many something shown changed."""
    from scoring.services import score_due_leads  # noqa: PLC0415 -- app ready

    written = changed = 0
    shown = {row[0]: row for row in run(SHOWN, [lead_ids])}
    for hours in range(1, 7 * 24 + 1):
        written += score_due_leads(now=start + hours * HOUR)
        now_shown = {row[0]: row for row in run(SHOWN, [lead_ids])}
        changed += sum(shown[lead_id] != row for lead_id, row in now_shown.items())
        shown = now_shown
    return written, changed


def paged() -> dict[str, float]:
    """Return the figures of pages, and of what else goes on while all scores are renewed."""
    from crm.accounts.enums import Role  # noqa: PLC0415 -- app ready
    from crm.accounts.models import User  # noqa: PLC0415 -- app ready

    who, _ = User.objects.get_or_create(
        email="mira@bench.example", defaults={"full_name": "Mira", "roles": [Role.MARKETER]}
    )
    [[lead]] = run("SELECT lead_id FROM engagement_event GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    with web_process() as port, asking(port, cookie_of(who)) as ask:
        explained = statistics.median(times(lambda: ask(f"/leads/{lead}/score/"), 60))
        events = statistics.median(
            times(lambda: run("SELECT * FROM engagement_event WHERE lead_id = %s", [lead]), 60)
        )
        quiet = statistics.median(times(lambda: ask("/leads/?view=all"), 60))
        publish_another()
        meanwhile = renewing(lambda: ask("/leads/?view=all"))
    tell("explanation page, ms (beside: its events)", explained, "at most 60", events)
    tell("list page during a re-score, ms", meanwhile["list_ms"], "at most 2 times", quiet)
    tell("20 due leads during a re-score, p95 ms", meanwhile["few_due_p95_ms"], "no target")
    tell("between sweeps over deadlines, at most s", meanwhile["deadlines_s"], "at most 5")
    return {"explanation_ms": explained, "events_ms": events, "quiet_list_ms": quiet, **meanwhile}


def renewing(page: Callable[[], None]) -> dict[str, float]:
    """Return what people and sweeps wait for while another process renews all scores."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from scoring.services import mark_due, score_due_leads  # noqa: PLC0415 -- app ready

    lead_ids = [lead_id for (lead_id,) in run(BUSY, [DUE])]
    pages, sweeps, gaps = [], [], [0.0]
    run(FORGET_BEATS)  # a database that was kept remembers those of its last run
    deadlines = subprocess.Popen([sys.executable, "manage.py", "enforce_deadlines", "--loop"],
                                 cwd=ROOT)  # fmt: skip
    while not run(LATEST_BEAT):
        time.sleep(0.1)
    renewal = subprocess.Popen([sys.executable, "-m", "bench.scoring", "--renew"], cwd=ROOT)
    for turn in count():
        if renewal.poll() is not None:
            break
        now = timezone.now()
        few = [lead_ids[(FEW * turn + n) % len(lead_ids)] for n in range(FEW)]
        mark_due(lead_ids=few, now=now)
        sweeps.append(seconds(partial(score_due_leads, now=now)))
        pages.append(seconds(page))
        [[beaten_at]] = run(LATEST_BEAT)
        gaps.append((timezone.now() - beaten_at).total_seconds())
        time.sleep(0.1)
    deadlines.terminate()
    deadlines.wait(timeout=20)
    return {
        "list_ms": 1000 * statistics.median(pages),
        "list_p95_ms": 1000 * statistics.quantiles(pages, n=20)[-1],
        "few_due_p95_ms": 1000 * statistics.quantiles(sweeps, n=20)[-1],
        "deadlines_s": max(gaps),
    }


@contextmanager
def asking(port: int, cookie: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that fetches a page; an answer that is not a page ends the run."""
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(path: str) -> None:
        web.request("GET", path, headers={"Cookie": cookie, "Host": "localhost"})
        answer = web.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            sys.exit(f"{path} answered {answer.status}")

    try:
        yield ask
    finally:
        web.close()


def run(statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """Run a statement, however long it takes, and return its rows."""
    from django.db import connection  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def seconds(act: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

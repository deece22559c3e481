"""Pages where people wait, over HTTP, against the bare SQL for the same rows in the same run.

Run it from the root of the repository: ``python -m bench.lists [--leads 10000 1000000] [--keep]``;
``--all`` adds every view that ships in every order that is offered. Each size gets a database of
its own beside the configured one (``baton_bench_10000``), with the demo company. Milliseconds;
ratio is the page's p50 to the SQL's p50. Targets at 1 M leads: lists p50 <= 30 and p95 <= 80,
search p50 <= 50, lead page and queue 60, SLA page 150, funnel 300; from 10 k leads on at most 1.5
times as long. What misses one is marked.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.company import seed
from bench.seed import database, start_django
from crm.embedded.children import programs

if TYPE_CHECKING:
    from crm.accounts.models import User
    from leads.list_address import ListAddress

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "baton_bench"
RESULTS = Path(__file__).parent / "results" / "lists.jsonl"
LIST, LIST_P95, SEARCH = 30.0, 80.0, 50.0  # milliseconds that a list and a search may take
NO_TARGET = math.inf  # of the board, which is a list for each stage
MOST_GROWTH = 1.5
WARM_UP = 20  # more than one for each thread of each worker


#: Acts of the lead whose page is opened, as the target has it.
MOST_ACTS = 1_000
_MORE_ACTS = """
    WITH own AS (
        SELECT * FROM engagement_event WHERE lead_id = %(lead)s
    ), further AS (
        SELECT own.*, own.occurred_at - minute * interval '1 minute' AS at
        FROM own CROSS JOIN generate_series(1, %(most)s) AS minute
        ORDER BY minute, own.id
        LIMIT greatest(%(most)s - (SELECT count(*) FROM own), 0)
    )
    INSERT INTO engagement_event (id, occurred_at, received_at, lead_id, visitor_id, asset_id, kind,
        name, funnel_stage, url, properties, actor, actor_reason, clock_fault, touch, agent_id)
    SELECT uuidv7(at - now()), at, received_at, lead_id, visitor_id, asset_id, kind,
        name, funnel_stage, url, properties, actor, actor_reason, clock_fault, touch, agent_id
    FROM further
"""


@dataclass(frozen=True)
class Case:
    """One page and the SQL that fetches the same rows."""

    name: str
    path: str
    sql: str
    who: str = "marketer"
    target: float = LIST


@dataclass(frozen=True)
class Figures:
    """Milliseconds of one case; ``target`` is what its p50 may be."""

    p50: float
    p95: float
    sql_p50: float
    target: float

    @property
    def ratio(self) -> float:
        """Return how many times the bare SQL the page takes."""
        return self.p50 / self.sql_p50

    @property
    def verdict(self) -> str:
        """Return the mark of what takes too long."""
        slow = self.p50 > self.target or (self.target == LIST and self.p95 > LIST_P95)
        return "  too slow" if slow else ""


def main() -> None:
    """Measure every size in a process of its own, since Django reads its database once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--leads", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--keep", action="store_true", help="keep the database and seed only once")
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--all", action="store_true", help="every view and every order")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.requests, everything=options.all)
        return
    for leads in options.leads:
        with database(f"{DATABASE}_{leads}", keep=options.keep) as url:
            subprocess.run(
                [sys.executable, "-m", "bench.lists", f"--measure={leads}",
                 f"--requests={options.requests}", *(["--all"] if options.all else [])],
                check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": url},
            )  # fmt: skip
    report_growth(len(options.leads))


def report_growth(runs: int) -> None:
    """Print each page at the greatest number of leads, and how many times the p50 at the least."""
    with RESULTS.open() as lines:
        kept = sorted(map(json.loads, list(lines)[-runs:]), key=lambda each: int(each["leads"]))
    least, most = kept[0]["cases"], kept[-1]["cases"]
    grown = {name: most[name]["p50"] / least[name]["p50"] for name in most if name in least}
    print(f"\nfrom {kept[0]['leads']:,} to {kept[-1]['leads']:,} leads")
    print(f"{'':50} {'p50 ms':>8} {'to':>8} {'p95 ms':>8} {'times':>7}")
    for name in sorted(grown, key=lambda name: -grown[name]):
        before, after = least[name]["p50"], Figures(**most[name])
        verdict = after.verdict or ("  grows" if grown[name] > MOST_GROWTH else "")
        print(
            f"{name:50} {before:8.1f} {after.p50:8.1f} {after.p95:8.1f} {grown[name]:7.2f}{verdict}"
        )


def measure(size: int, requests: int, *, everything: bool) -> None:
    """Seed when needed, start a web process, and measure each case."""
    start_django()
    seed(size)
    cases, people = prepare()
    if everything:
        cases += every_list(people["marketer"])
    cookies = {who: cookie_of(user) for who, user in people.items()}
    figures: dict[str, Figures] = {}
    with web_process() as port:
        print(f"\n{size:,} leads{'':37} {'p50 ms':>8} {'p95 ms':>8} {'SQL ms':>8} {'ratio':>7}")
        for case in cases:
            figures[case.name] = figure(case, port, cookies[case.who], requests)
            tell(case.name, figures[case.name])
    record(size, figures)


def prepare() -> tuple[list[Case], dict[str, User]]:
    """Return the cases, with ids of this database, and somebody of each role."""
    from django.db import connection  # noqa: PLC0415 -- app ready

    from crm.accounts.models import User  # noqa: PLC0415 -- app ready

    def one(sql: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return int(cursor.fetchone()[0])

    rep = one(
        "SELECT holder_id FROM handoff_handoff WHERE closed_at IS NULL AND holder_id IS NOT NULL"
        " GROUP BY holder_id ORDER BY count(*) DESC LIMIT 1"
    )
    busiest = one(
        "SELECT lead_id FROM engagement_event WHERE lead_id IS NOT NULL"
        " GROUP BY lead_id ORDER BY count(*) DESC LIMIT 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(_MORE_ACTS, {"lead": busiest, "most": MOST_ACTS})
    people = {
        "marketer": User.objects.filter(roles__contains=["MARKETER"], is_active=True).earliest(
            "id"
        ),
        "manager": User.objects.filter(roles__contains=["MANAGER"], is_active=True).earliest("id"),
        "rep": User.objects.get(pk=rep),
    }
    return cases_of(rep=rep, busiest=busiest), people


def cookie_of(user: User) -> str:
    """Log a person in and return the cookie of the session."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415

    from crm.common.sessions import SessionStore  # noqa: PLC0415 -- app ready

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "crm.common.sessions.LoginBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"sessionid={session.session_key}"


def cases_of(*, rep: int, busiest: int) -> list[Case]:
    """Return what is measured."""
    lead = "SELECT * FROM leads_lead WHERE merged_into_id IS NULL"
    page = "LIMIT 51"
    return [
        Case("list", "/leads/?view=all", f"{lead} ORDER BY last_activity_at DESC, id DESC {page}"),
        Case(
            "list, filtered",
            "/leads/?view=all&f=stage.in.MQL,SAL&f=country.in.DE",
            f"{lead} AND stage IN ('MQL', 'SAL') AND country = 'DE'"
            f" ORDER BY last_activity_at DESC, id DESC {page}",
        ),
        Case(
            "list, filtered and sorted",
            "/leads/?view=all&f=stage.in.LEAD&f=country.in.DE&sort=company",
            f"{lead} AND stage = 'LEAD' AND country = 'DE' ORDER BY company_name, id {page}",
        ),
        Case("list, by name", "/leads/?view=all&sort=name",
             f"{lead} ORDER BY last_name, first_name, id {page}"),
        Case("list, by score", "/leads/?view=all&sort=grade",
             "SELECT * FROM leads_lead JOIN scoring_leadscore s ON s.lead_id = id"
             " WHERE merged_into_id IS NULL"
             f" ORDER BY s.engagement_score DESC NULLS LAST, s.lead_id DESC {page}"),
        Case("search", "/search/?q=mann",
             f"{lead} AND search_text LIKE '%mann%' {page}", target=SEARCH),
        Case("search, many", "/search/?q=ann",
             f"{lead} AND search_text LIKE '%ann%' {page}", target=SEARCH),
        Case("search, two letters", "/search/?q=an",
             f"{lead} AND (search_text LIKE 'an%' OR search_text LIKE '% an%') {page}",
             target=SEARCH),
        Case("search, nobody", "/search/?q=mannzz",
             f"{lead} AND search_text LIKE '%mannzz%' {page}", target=SEARCH),
        Case("search, in a list", "/leads/?view=all&f=words.contains.mann&sort=name",
             f"{lead} AND search_text LIKE '%mann%' {page}", target=SEARCH),
        Case("palette", "/palette/?q=mann",
             f"{lead} AND search_text LIKE '%mann%' LIMIT 6", target=SEARCH),
        Case("search, by phone", "/search/?q=030+2312",
             f"{lead} AND regexp_replace(phone, '\\D', '', 'g') LIKE '%302312%' {page}",
             target=SEARCH),
        Case("board", "/leads/?view=all&layout=board",
             f"{lead} AND stage = 'LEAD' ORDER BY last_activity_at DESC, id DESC {page}",
             target=NO_TARGET),
        Case("lead page", f"/leads/{busiest}/",
             f"SELECT * FROM engagement_event WHERE lead_id = {busiest}"
             f" ORDER BY occurred_at DESC {page}", target=60),
        Case("queue", "/queue/",
             f"SELECT * FROM handoff_handoff WHERE holder_id = {rep} AND closed_at IS NULL", "rep",
             target=60),
        Case("funnel", "/reports/funnel/",
             "SELECT stage, count(*) FROM leads_stageinterval GROUP BY stage",
             target=300),
        Case("SLA page", "/reports/sla/",
             "SELECT count(*), count(*) FILTER (WHERE stopped_at <= due_at) FROM handoff_clock"
             " WHERE kind = 'FIRST_TOUCH'", "manager", target=150),
    ]  # fmt: skip


def every_list(viewer: User) -> list[Case]:
    """Return each view that ships in each order that is offered; the SQL is that of the rows."""
    from django.http import QueryDict  # noqa: PLC0415 -- app ready

    from crm.common.slots import lead_views  # noqa: PLC0415 -- app ready
    from leads.list_address import read_address, sorts  # noqa: PLC0415 -- app ready

    orders = [
        turned
        for sort in sorts().values()
        for turned in ([sort, replace(sort, is_reversed=True)] if sort.can_turn else [sort])
    ]
    asked = {
        f"{view.label}: {order.words}": f"view={view.name}&sort={order.code}"
        for view in lead_views
        for order in orders
    }
    return [
        Case(name, f"/leads/?{query}", rows_of(read_address(QueryDict(query), user=viewer), viewer))
        for name, query in asked.items()
    ]


def rows_of(address: ListAddress, viewer: User) -> str:
    """Return the SQL that finds the rows of the first page of a list."""
    from django.db import connection  # noqa: PLC0415 -- app ready
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 -- app ready
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from crm.common.paging import keyset_page  # noqa: PLC0415 -- app ready
    from crm.common.plans import plan_of  # noqa: PLC0415 -- app ready
    from leads.hints import hint_for  # noqa: PLC0415 -- app ready

    now = timezone.now()
    found = address.leads(viewer=viewer, now=now)
    hint = hint_for(address, found, plan_of(found), viewer=viewer, now=now)
    with CaptureQueriesContext(connection) as captured:
        keyset_page(found.filter(address.beginning(now)), ordering=address.sort.ordering, hint=hint)
    return "; ".join(str(each["sql"]) for each in captured)


@contextmanager
def web_process() -> Iterator[int]:
    """Run the web process as ``up`` does, on a free port, and yield that port."""
    port = free_port()
    [web] = (each for each in programs(port=port, collector_port=0) if each.name == "web")
    server = subprocess.Popen(
        web.arguments,
        cwd=ROOT,
        env={**os.environ, "BATON_TESTING": "1", "BATON_LOG_LEVEL": "ERROR"},
    )
    try:
        await_port(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_port(port: int) -> None:
    """Wait until something listens; at most half a minute."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the web process did not start")


def figure(case: Case, port: int, cookie: str, requests: int) -> Figures:
    """Return the figures of one case; an answer that is not a page ends the run."""
    from django.db import connection as database  # noqa: PLC0415 -- app ready

    web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask() -> None:
        web.request("GET", case.path, headers={"Cookie": cookie, "Host": "localhost"})
        answer = web.getresponse()
        answer.read()
        if answer.status != 200:
            sys.exit(f"{case.path} answered {answer.status}")

    def query() -> None:
        with database.cursor() as cursor:
            cursor.execute(case.sql)
            cursor.fetchall()

    pages, rows = times(ask, requests), times(query, requests)
    web.close()
    return Figures(
        statistics.median(pages),
        statistics.quantiles(pages, n=20)[-1],
        statistics.median(rows),
        case.target,
    )


def times(act: Callable[[], object], count: int) -> list[float]:
    """Return milliseconds of ``count`` calls after a warm-up."""
    for _ in range(WARM_UP):
        act()
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        act()
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def tell(name: str, each: Figures) -> None:
    """Print a line of the table as soon as it is known: all views in all orders take long."""
    told = f"{each.p50:8.1f} {each.p95:8.1f} {each.sql_p50:8.2f} {each.ratio:7.1f}"
    print(f"{name:50} {told}{each.verdict}", flush=True)


def record(size: int, figures: dict[str, Figures]) -> None:
    """Append the table to the results as one JSON line."""
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as lines:
        said = {name: vars(each) for name, each in figures.items()}
        lines.write(json.dumps({"leads": size, "cases": said}) + "\n")


if __name__ == "__main__":
    main()

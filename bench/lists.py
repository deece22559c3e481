"""Pages where people wait, over HTTP, against the bare SQL for the same rows in the same run.

Run it from the root of the repository: ``python -m bench.lists [--sizes 10000 100000]``; ``--all``
adds every view that ships and every order that is offered, in both directions. Each size gets a
database of its own beside the configured one (``baton_bench_10000``), seeded once with the demo
company. Milliseconds; ratio is the page's p50 to the SQL's p50. Targets at 1 M leads: lists p50 <=
30 and p95 <= 80, search and lead page p50 <= 50, queue 60, SLA page 150, funnel 300.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from crm.embedded import location
from crm.embedded.children import programs

if TYPE_CHECKING:
    from crm.accounts.models import User
    from leads.list_address import ListAddress

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "lists.jsonl"
WARM_UP = 20  # more than one for each thread of each worker


@dataclass(frozen=True)
class Case:
    """One page and the SQL that fetches the same rows."""

    name: str
    path: str
    sql: str
    who: str = "marketer"


@dataclass(frozen=True)
class Figures:
    """Milliseconds of one case."""

    p50: float
    p95: float
    sql_p50: float

    @property
    def ratio(self) -> float:
        """Return how many times the bare SQL the page takes."""
        return self.p50 / self.sql_p50


def main() -> None:
    """Measure every size in a process of its own, since Django reads its database once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--all", action="store_true", help="every view and every order")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.requests, everything=options.all)
        return
    for size in options.sizes:
        subprocess.run(
            [sys.executable, "-m", "bench.lists", f"--measure={size}",
             f"--requests={options.requests}", *(["--all"] if options.all else [])],
            check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": database_of(size)},
        )  # fmt: skip


def database_of(size: int) -> str:
    """Return the URL of the database of ``size`` leads, beside the configured one; made if new."""
    import psycopg  # noqa: PLC0415 -- slow import

    url = urlsplit(os.environ.get("DATABASE_URL") or location.database_url())
    name = f"baton_bench_{size}"
    with psycopg.connect(urlunsplit(url), autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(url._replace(path=f"/{name}"))


def measure(size: int, requests: int, *, everything: bool) -> None:
    """Seed when needed, start a web process, and measure each case."""
    os.environ.setdefault("BATON_MODE", "local")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    import django  # noqa: PLC0415 -- after the environment is set

    django.setup()
    seed(size)
    cases, people = prepare()
    if everything:
        cases += every_list(people["marketer"])
    cookies = {who: cookie_of(user) for who, user in people.items()}
    with web_process() as port:
        figures = {case.name: figure(case, port, cookies[case.who], requests) for case in cases}
    report(size, figures)


def seed(size: int) -> None:
    """Fill the database with the demo company of ``size`` leads, once."""
    from django.core.management import call_command  # noqa: PLC0415 -- app ready
    from django.db import connection, transaction  # noqa: PLC0415 -- app ready

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM leads_lead)")
        [is_seeded] = cursor.fetchone()
        if not is_seeded:
            started = time.perf_counter()
            with transaction.atomic():  # a seed that was stopped leaves nothing behind
                call_command("seed_demo", leads=size)
            print(f"seeded {size:,} leads in {time.perf_counter() - started:.0f} s")
    count_reports()
    with connection.cursor() as cursor:  # as autovacuum would have done by now
        cursor.execute("VACUUM ANALYZE")


def count_reports() -> None:
    """Count beforehand what reports show, as the loops of ``up`` do."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from crm.reports.services import count_sla_days, count_splits  # noqa: PLC0415 -- app ready

    for count in (count_sla_days, count_splits):
        while count(now=timezone.now()):
            pass


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
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415 -- app ready

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"sessionid={session.session_key}"


def cases_of(*, rep: int, busiest: int) -> list[Case]:
    """Return what is measured."""
    lead = "SELECT * FROM leads_lead"
    page = "LIMIT 51"
    return [
        Case("list", "/leads/?view=all", f"{lead} ORDER BY last_activity_at DESC, id DESC {page}"),
        Case(
            "list, filtered",
            "/leads/?view=all&f=stage.in.MQL,SAL&f=country.in.DE",
            f"{lead} WHERE stage IN ('MQL', 'SAL') AND country = 'DE'"
            f" ORDER BY last_activity_at DESC, id DESC {page}",
        ),
        Case("list, by name", "/leads/?view=all&sort=name",
             f"{lead} ORDER BY last_name, first_name, id {page}"),
        Case("list, by score", "/leads/?view=all&sort=grade",
             f"{lead} JOIN scoring_leadscore s ON s.lead_id = id"
             f" ORDER BY s.engagement_score DESC NULLS LAST, s.lead_id DESC {page}"),
        Case("search", "/search/?q=mann",
             f"{lead} WHERE search_text LIKE '%mann%' {page}"),
        Case("search, by phone", "/search/?q=030+2312",
             f"{lead} WHERE regexp_replace(phone, '\\D', '', 'g') LIKE '%302312%' {page}"),
        Case("board", "/leads/?view=all&layout=board",
             f"{lead} WHERE stage = 'LEAD' ORDER BY last_activity_at DESC, id DESC {page}"),
        Case("lead page", f"/leads/{busiest}/",
             f"SELECT * FROM engagement_event WHERE lead_id = {busiest}"
             f" ORDER BY occurred_at DESC {page}"),
        Case("queue", "/queue/",
             f"SELECT * FROM handoff_handoff WHERE holder_id = {rep} AND closed_at IS NULL", "rep"),
        Case("funnel", "/reports/funnel/",
             "SELECT stage, count(*) FROM leads_stageinterval GROUP BY stage"),
        Case("SLA page", "/reports/sla/",
             "SELECT count(*), count(*) FILTER (WHERE stopped_at <= due_at) FROM handoff_clock"
             " WHERE kind = 'FIRST_TOUCH'", "manager"),
    ]  # fmt: skip


def every_list(viewer: User) -> list[Case]:
    """Return each view that ships, and everything in each order; the SQL is that of the rows."""
    from django.http import QueryDict  # noqa: PLC0415 -- app ready

    from crm.common.slots import lead_views  # noqa: PLC0415 -- app ready
    from leads.list_address import read_address, sorts  # noqa: PLC0415 -- app ready

    asked = [(f"view: {view.label}", f"view={view.name}") for view in lead_views]
    for sort in sorts().values():
        asked.append((f"order: {sort.words}", f"view=all&sort={sort.code}"))
        if sort.can_turn:
            asked.append((f"order: {sort.said[-1]}", f"view=all&sort=-{sort.code}"))
    return [
        Case(name, f"/leads/?{query}", rows_of(read_address(QueryDict(query), user=viewer), viewer))
        for name, query in asked
    ]


def rows_of(address: ListAddress, viewer: User) -> str:
    """Return the SQL that the first page of a list asks first."""
    from django.db import connection  # noqa: PLC0415 -- app ready
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 -- app ready
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from crm.common.paging import keyset_page  # noqa: PLC0415 -- app ready

    found = address.leads(viewer=viewer, now=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        keyset_page(found, ordering=address.sort.ordering)
    return str(captured[0]["sql"])


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
        statistics.median(pages), statistics.quantiles(pages, n=20)[-1], statistics.median(rows)
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


def report(size: int, figures: dict[str, Figures]) -> None:
    """Print the table and append it to the results as one JSON line."""
    print(f"\n{size:,} leads{'':27} {'p50 ms':>8} {'p95 ms':>8} {'SQL ms':>8} {'ratio':>7}")
    for name, each in figures.items():
        print(f"{name:40} {each.p50:8.1f} {each.p95:8.1f} {each.sql_p50:8.2f} {each.ratio:7.1f}")
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as lines:
        said = {name: vars(each) | {"ratio": each.ratio} for name, each in figures.items()}
        lines.write(json.dumps({"leads": size, "cases": said}) + "\n")


if __name__ == "__main__":
    main()

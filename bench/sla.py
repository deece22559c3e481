"""Deadlines at a million open clocks: the sweep, working time over years, the compliance page.

Run it from the root of the repository: ``python -m bench.sla [--handoffs 1000000] [--keep]``. A
database of its own beside the configured one, with three clocks to a handoff; a third of the
handoffs is open. Wall and processor time, that of the database's process included where it runs on
this machine. Targets at 1 M: idle tick 5 ms, batch of 100 due 50 ms, 100,000 overdue 120 s, elapsed
working time over 20 years 1 ms, compliance page p50 150 ms, narrowed or not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.seed import LEADS, database, fill, start_django
from bench.working_time import CALENDAR, END, START

RESULTS = Path(__file__).parent / "results" / "sla.jsonl"
NAME = "baton_bench_sla"
ROUNDS = 20
BACKLOG = 100_000
REPS = 100
#: Due times of open handoffs follow each other so closely, from ``FIRST_DUE`` on.
STEP = timedelta(milliseconds=10)
FIRST_DUE = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

#: Open ones are those of the last third of the leads: every one will fall due, one after the other.
#: Each team has leads of ten sources and all tiers.
HANDOFFS = """
UPDATE leads_lead SET source = 'Source ' || id / 400 %% 10;
INSERT INTO handoff_handoff (lead_id, cycle, team_id, holder_id, tier_id, state, calendar_id,
    is_fast_track,
    raised_at, opened_at, accepted_at, first_touch_at, closed_at, rejection_reason, rejection_note,
    brief, brief_digest, why, score, cell, attempts, snooze_reason)
SELECT lead.id, 1, rep.sales_team_id, rep.id,
    (SELECT array_agg(id ORDER BY position) FROM handoff_slatier)[1 + lead.id / 100 %% 4],
    CASE WHEN is_open THEN 'OFFERED' ELSE 'QUALIFIED' END,
    (SELECT min(id) FROM handoff_workcalendar), false, at, at,
    CASE WHEN NOT is_open THEN at + interval '20 min' END,
    CASE WHEN NOT is_open THEN at + interval '40 min' + interval '1 min' * (lead.id %% 400) END,
    CASE WHEN NOT is_open THEN at + interval '2 days' END, '', '', '{{}}', '', 'Cell A1', 50, 'A1',
    0, ''
FROM leads_lead lead
CROSS JOIN LATERAL (SELECT lead.id > {leads} * 2 / 3 AS is_open) o
CROSS JOIN LATERAL (SELECT CASE WHEN is_open
    THEN %(first)s - interval '2 h' + interval '10 ms' * (lead.id - {leads} * 2 / 3)
    ELSE %(first)s - interval '1 min' * (lead.id %% 500000) - interval '3 days' END AS at) t
JOIN (SELECT id, sales_team_id, row_number() OVER (ORDER BY id) - 1 AS place
      FROM accounts_user WHERE roles = ARRAY['REP']::varchar[]) rep
    ON rep.place = lead.id %% {reps};
INSERT INTO handoff_clock (handoff_id, kind, target, started_at, first_warning_at, at_risk_at,
    last_warning_at, due_at, escalate_at, answerable_id, stopped_at, elapsed, breached_at, alarm,
    alarm_at, attempts, last_error)
SELECT h.id, kind, span, opened_at, opened_at + span * 0.5, opened_at + span * 0.75,
    opened_at + span * 0.8, opened_at + span, opened_at + span, holder_id, stopped_at,
    stopped_at - opened_at, CASE WHEN stopped_at > opened_at + span THEN opened_at + span END,
    CASE WHEN closed_at IS NOT NULL THEN '' WHEN kind = 'ACCEPT' THEN 'BREACH' ELSE 'FIRST' END,
    CASE WHEN closed_at IS NOT NULL THEN NULL WHEN kind = 'ACCEPT' THEN opened_at + span
        ELSE opened_at + span * 0.5 END, 0, ''
FROM handoff_handoff h,
    LATERAL (VALUES ('ACCEPT', interval '2 h', accepted_at),
                    ('FIRST_TOUCH', interval '90 h', first_touch_at),
                    ('VERDICT', interval '900 h', closed_at)) c (kind, span, stopped_at);
"""


@dataclass(frozen=True)
class Cost:
    """Milliseconds: on the wall, and of both processors' work for it."""

    wall: float
    cpu: float


def main() -> None:
    """Seed, measure, print the table and keep the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--handoffs", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    with database(NAME, keep=options.keep) as url:
        os.environ["DATABASE_URL"] = url
        start_django()
        seed(options.handoffs)
        figures = {
            "idle tick, ms": idle(),
            "batch of 100 due, ms": batch(),
            **pages(),
            "its bare count, ms": bare(),
            "20 years of working time, ms": years(),
            f"{BACKLOG:,} overdue, ms": backlog(),
        }
    print(f"{options.handoffs:,} handoffs{'':17} {'wall':>10} {'cpu':>10}")
    for name, cost in figures.items():
        print(f"{name:34} {cost.wall:10.2f} {cost.cpu:10.2f}")
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        said = {name: asdict(cost) for name, cost in figures.items()}
        kept.write(json.dumps({"handoffs": options.handoffs, "figures": said}) + "\n")


def seed(handoffs: int) -> None:
    """Write leads, people, handoffs and clocks; nothing when that was done before."""
    from django.db import connection, transaction  # noqa: PLC0415 -- app ready

    leads = LEADS.format(leads=handoffs, title="''", country="'DE'", company="NULL")
    if not fill(leads):
        return
    people()
    tiers()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(HANDOFFS.format(leads=handoffs, reps=REPS), {"first": FIRST_DUE})
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE handoff_handoff, handoff_clock")
        cursor.execute("RESET statement_timeout")


def people() -> None:
    """Make a hundred reps in ten teams, each with a manager, and the default calendar."""
    from crm.accounts.enums import Role  # noqa: PLC0415 -- app ready
    from crm.accounts.models import SalesTeam, User  # noqa: PLC0415 -- app ready
    from handoff.services import define_calendar  # noqa: PLC0415 -- app ready

    teams = [SalesTeam.objects.create(name=f"Team {n}") for n in range(10)]
    week = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    define_calendar(
        name="Always",
        definition={"timezone": "Europe/Berlin", "weekly": week},
        now=FIRST_DUE - timedelta(days=1000),
        is_default=True,
    )
    for role, number in ((Role.REP, REPS), (Role.MANAGER, len(teams))):
        User.objects.bulk_create(
            User(
                email=f"{role.lower()}{n}@bench.example",
                full_name=f"{role.label} {n}",
                roles=[role],
                sales_team=teams[n % len(teams)],
            )
            for n in range(number)
        )


def tiers() -> None:
    """Make four tiers; the deadlines of the handoffs are their own."""
    from handoff.services import TierTerms, draft_agreement  # noqa: PLC0415 -- app ready
    from scoring.presets import default_definition  # noqa: PLC0415 -- app ready
    from scoring.services import create_draft  # noqa: PLC0415 -- app ready

    day = timedelta(days=1)
    of = [{"field": "country", "op": "in", "value": [each]} for each in ("DE", "FR", "US")]
    draft_agreement(
        scoring_model=create_draft(definition=default_definition(), now=START),
        tiers=[TierTerms(f"Tier {n}", day, day, day, each) for n, each in enumerate([*of, {}], 1)],
        now=START,
    )


def idle() -> Cost:
    """Sweep when nothing is due."""
    from handoff.services import enforce_deadlines  # noqa: PLC0415 -- app ready

    now = _next_due() - timedelta(microseconds=1)
    return median([cost_of(partial(enforce_deadlines, now=now)) for _ in range(ROUNDS)])


def batch() -> Cost:
    """Sweep when a hundred clocks have fallen due since the last time."""
    from handoff.services import BATCH, enforce_deadlines  # noqa: PLC0415 -- app ready

    costs = []
    for _ in range(ROUNDS):
        now = _next_due() + (BATCH - 1) * STEP + timedelta(microseconds=1)
        costs.append(cost_of(partial(enforce_deadlines, now=now)))
    return median(costs)


def backlog() -> Cost:
    """Record what fell due while nothing swept for a quarter of an hour."""
    from handoff.models import Clock  # noqa: PLC0415 -- app ready
    from handoff.services import BATCH, enforce_deadlines  # noqa: PLC0415 -- app ready

    now = _next_due() + BACKLOG * STEP

    def catch_up() -> None:
        while enforce_deadlines(now=now) == BATCH:
            pass

    cost = cost_of(catch_up)
    if Clock.objects.alarming(now).exists():
        raise SystemExit("Something that is due was not recorded.")
    return cost


def pages() -> dict[str, Cost]:
    """Open SLA compliance for a month among all those handoffs, whole and narrowed."""
    from crm.accounts.enums import Role  # noqa: PLC0415 -- app ready
    from crm.accounts.models import SalesTeam, User  # noqa: PLC0415 -- app ready

    count_days()
    team, source, tier = SalesTeam.objects.earliest("id").pk, "Source 1", "Tier 1"
    rep = User.objects.filter(roles=[Role.REP]).earliest("id").pk
    return {
        "compliance page, ms": page(),
        "narrowed to a team, ms": page(team=team),
        "narrowed to a source, ms": page(source=source),
        "narrowed to a rep, ms": page(rep=rep),
        "to a team and a source, ms": page(team=team, source=source),
        "to a team and a tier, ms": page(team=team, tier=tier),
        "to a source and a rep, ms": page(source=source, rep=rep),
        "to a source and a tier, ms": page(source=source, tier=tier),
    }


def page(**narrowed: str | int) -> Cost:
    """Open SLA compliance as a manager."""
    from django.test import Client  # noqa: PLC0415 -- slow import

    from crm.accounts.access import LOGIN_BACKEND  # noqa: PLC0415 -- app ready
    from crm.accounts.models import User  # noqa: PLC0415 -- app ready

    web = Client(HTTP_HOST="localhost")
    web.force_login(User.objects.get(email="manager0@bench.example"), LOGIN_BACKEND)

    def ask() -> None:
        may = {"from": "2026-05-01", "to": "2026-05-31"}
        answer = web.get("/reports/sla/", {**may, **narrowed})
        if answer.status_code != 200:
            raise SystemExit(f"the page answered {answer.status_code}")

    ask()
    return median([cost_of(ask) for _ in range(ROUNDS // 2)])


def count_days() -> None:
    """Sum the days that are over, as the sweep does in the background."""
    from django.db import connection  # noqa: PLC0415 -- app ready
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from crm.reports.services import count_sla_days  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # a third of all were handed over in one hour
        while count_sla_days(now=timezone.now()):
            pass
        cursor.execute("VACUUM ANALYZE reports_sladay, reports_slasum, reports_slachange")
        cursor.execute("RESET statement_timeout")


def bare() -> Cost:
    """Count the clocks of the same period, as a reference."""
    from handoff.models import Clock  # noqa: PLC0415 -- app ready

    may = Clock.objects.filter(
        kind="FIRST_TOUCH",
        handoff__opened_at__gte=datetime(2026, 4, 30, 22, tzinfo=UTC),
        handoff__opened_at__lt=datetime(2026, 5, 31, 22, tzinfo=UTC),
    )
    return median([cost_of(may.count) for _ in range(ROUNDS // 2)])


def years() -> Cost:
    """Count the working time of twenty years."""
    from handoff.business_hours import working_time_between  # noqa: PLC0415 -- app ready

    return median(
        [cost_of(partial(working_time_between, START, END, CALENDAR)) for _ in range(ROUNDS)]
    )


def _next_due() -> datetime:
    from django.db.models import Min  # noqa: PLC0415 -- app ready

    from handoff.models import Clock  # noqa: PLC0415 -- app ready

    found = Clock.objects.filter(alarm_at__isnull=False).aggregate(first=Min("alarm_at"))
    first: datetime = found["first"]
    return first


def cost_of(act: Callable[[], object]) -> Cost:
    """Do ``act`` once."""
    cpu, wall = time.process_time() + _database_seconds(), time.perf_counter()
    act()
    wall = time.perf_counter() - wall
    return Cost(1000 * wall, 1000 * (time.process_time() + _database_seconds() - cpu))


def _database_seconds() -> float:
    """Return the processor time of this connection's server process; 0 on another machine."""
    from django.db import connection  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone() or (0,)
    try:
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / TICKS_PER_SECOND


def median(costs: list[Cost]) -> Cost:
    """Return the median wall time, and the mean processor time: that is counted in ticks."""
    return Cost(
        statistics.median(cost.wall for cost in costs), statistics.mean(cost.cpu for cost in costs)
    )


if __name__ == "__main__":
    main()

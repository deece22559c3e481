"""Deadlines fall due while the broker is flushed, hangs and dies, and PostgreSQL is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest
import redis
from django.conf import settings
from django.utils import timezone

from crm.accounts.models import User
from crm.embedded.binaries import postgres_programs
from crm.embedded.location import database_url as embedded_url
from crm.embedded.location import redis_url, valkey_socket
from crm.embedded.postgres import Postgres
from crm.embedded.process import stop_together
from crm.embedded.servers import start
from crm.embedded.valkey import Valkey
from handoff.models import Clock, Handoff
from tests.embedded.conftest import own_state
from tests.faults.background import Background
from tests.faults.deadlines import BEGIN, NUMBER, check_breaches, falling_due
from tests.processes import child_environment, database_url, wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(600),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

SETTLE_AND_CHECK = "from tests.faults.conftest import check_scores; check_scores()"
PATIENCE = 120
SOON = timedelta(seconds=1)
A_FEW = 20


def kept_up(rep: User) -> list[Handoff]:
    """Let a few deadlines fall due, and return once all of them are recorded."""
    handoffs = falling_due(
        rep, number=A_FEW, first=timezone.now() + SOON, step=timedelta(milliseconds=10)
    )
    clocks = Clock.objects.filter(handoff__in=handoffs)
    wait_for(lambda: not clocks.filter(alarm_at__isnull=False).exists(), seconds=PATIENCE)
    return handoffs


def test_deadlines_are_kept_while_the_broker_is_flushed_hangs_and_dies(rep: User) -> None:
    with own_state() as state:
        broker = start(Valkey())
        theirs = {"REDIS_URL": redis_url(), "BATON_STATE_DIR": str(state)}
        background = Background({**child_environment(), **theirs})
        store = redis.Redis(unix_socket_path=str(valkey_socket()), socket_timeout=1)
        try:
            store.flushall()
            handoffs = kept_up(rep)
            broker.send(signal.SIGSTOP)
            with pytest.raises(redis.TimeoutError):
                store.ping()
            handoffs += kept_up(rep)
            broker.send(signal.SIGCONT)
            broker.send(signal.SIGKILL)
            wait_for(lambda: not broker.is_alive())
            handoffs += kept_up(rep)
        finally:
            background.end()
            stop_together([broker])

    check_breaches(handoffs)


def test_killing_postgresql_loses_and_doubles_no_breach(rep: User) -> None:
    tomorrow, step = timezone.now() + timedelta(days=1), timedelta(seconds=12) / NUMBER
    falling_due(rep, number=NUMBER, first=tomorrow, step=step)
    with own_state():
        server = start(Postgres())
        _copy_test_database()
        loops = [_loop(), _loop()]
        left = []
        try:
            wait_for(lambda: _asked("SELECT count(*) FROM common_heartbeat"), seconds=PATIENCE)
            with psycopg.connect(embedded_url()) as database:
                database.execute(BEGIN)
            wait_for(lambda: _left() < NUMBER, seconds=PATIENCE)
            for _ in range(2):
                left.append(_left())
                server.send(signal.SIGKILL)
                wait_for(lambda server=server: not server.is_alive())  # type: ignore[misc]
                server = start(Postgres())
            wait_for(lambda: not _left(), seconds=PATIENCE)
            assert all(each.poll() is None for each in loops), "a loop ended with its database"
            assert max(left) > 0, "everything was recorded before the server was killed"
            _check_copy()
            _check_scores_of_copy()
        finally:
            for each in loops:
                each.kill()
                each.wait()
            stop_together([server])


def _copy_test_database() -> None:
    """Put what the test has written into the server of its own."""
    programs = postgres_programs()
    dump = subprocess.run(
        [programs / "pg_dump", "--no-owner", database_url().replace(":@", "@")],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [programs / "psql", "--quiet", "--set=ON_ERROR_STOP=1", embedded_url()],
        check=True,
        input=dump.stdout,
        stdout=subprocess.DEVNULL,
    )


def _loop() -> subprocess.Popen[bytes]:
    """Sweep the copy."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "enforce_deadlines", "--loop"],
        cwd=settings.BASE_DIR,
        env=_on_the_copy(),
        stderr=subprocess.DEVNULL,
    )


def _on_the_copy() -> dict[str, str]:
    """In any other spelling its address is no server that a command must start."""
    url = embedded_url().replace("//baton@", "//baton:@")
    return {**os.environ, "DATABASE_URL": url, "EMAIL_URL": "console:"}


def _left() -> int:
    return _asked("SELECT count(*) FROM handoff_clock WHERE alarm_at IS NOT NULL")


def _asked(question: LiteralString) -> int:
    """Return the number that the copy answers."""
    with psycopg.connect(embedded_url()) as database:
        return int((database.execute(question).fetchone() or (0,))[0])


def _check_scores_of_copy() -> None:
    """See in the copy what every fault test sees in the test database."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SETTLE_AND_CHECK]
    subprocess.run(command, cwd=settings.BASE_DIR, env=_on_the_copy(), check=True)


def _check_copy() -> None:
    """See in the copy what ``check_breaches`` sees in the test database."""
    with psycopg.connect(embedded_url()) as database:
        logged = database.execute("SELECT clock_id, breached_at FROM breach_log ORDER BY 1")
        clocks = database.execute("SELECT id, due_at FROM handoff_clock ORDER BY 1").fetchall()
        assert logged.fetchall() == clocks
        told = database.execute(
            "SELECT count(*), count(DISTINCT (recipient_id, key)), count(DISTINCT key)"
            " FROM common_notification WHERE key LIKE '%:breach'"
        ).fetchone()
        assert told == (2 * len(clocks), 2 * len(clocks), len(clocks))

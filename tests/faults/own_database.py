"""A PostgreSQL that a test may kill, with what processes of ours wrote into it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from crm.embedded.binaries import postgres_programs
from crm.embedded.location import ROOT, database_url
from crm.embedded.postgres import Postgres
from crm.embedded.process import Process
from crm.embedded.servers import start
from tests import processes
from tests.processes import descendants, wait_for

ABSORB = """
from django.utils import timezone
from engagement.services import absorb_events
while absorb_events(now=timezone.now()):
    pass
"""


class Database:
    """A PostgreSQL of our own that survives a crash, as in production; begins as the test database.

    A dump of that is there in two seconds; to migrate anew takes half a minute.
    """

    def __init__(self) -> None:
        self._server = Postgres(durable=True)
        self.url = database_url()
        self.start()
        programs = postgres_programs()
        dump = [str(programs / "pg_dump"), "--no-owner", processes.database_url()]
        content = subprocess.run(dump, capture_output=True, check=True).stdout
        restore = [str(programs / "psql"), "-q", "--set=ON_ERROR_STOP=1", self.url]
        subprocess.run(restore, input=content, stdout=subprocess.DEVNULL, check=True)

    def start(self) -> None:
        """Start it, and go on once it answers."""
        self.process: Process = start(self._server)

    def kill(self) -> None:
        """Kill all its processes at once."""
        assert self.process.pid is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        wait_for(lambda: not self.process.is_alive())

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let all its processes stand still while the block runs."""
        assert self.process.pid is not None
        family = [self.process.pid, *descendants(self.process.pid)]
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in family:
                os.kill(pid, signal.SIGCONT)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def absorb(self) -> list[str]:
        """Absorb all that waits, and return the id of each event's message."""
        self._manage("shell", "--no-imports", "-c", ABSORB)
        [(count,)] = self.ask("SELECT count(*) FROM engagement_event")
        keys = [name for (name,) in self.ask("SELECT message_id FROM engagement_event_key")]
        assert count == len(keys)
        return keys

    def _manage(self, *arguments: str) -> None:
        """Run a management command; ``manage.py`` would start a database of its own."""
        theirs = {"DATABASE_URL": self.url, "DJANGO_SETTINGS_MODULE": "crm.settings"}
        command = [sys.executable, "-m", "django", *arguments]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **theirs}, check=True)

"""The processes that ``up`` runs in the background, on the test database and a real broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from crm.embedded.children import FORKS
from tests.emptying import others_at_work
from tests.processes import comm, descendants, wait_for


class Background:
    """The processes that ``up`` runs in the background, on the test database."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crm.embedded.background"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: all(self.pid_of(child.name) for child in FORKS), seconds=240)

    def pid_of(self, name: str) -> int | None:
        """Return the process id of the fork that is called ``name``; None while it is away."""
        below = descendants(self._process.pid)
        return next((pid for pid in below if comm(pid) == name), None)

    def signal(self, number: signal.Signals, *names: str) -> None:
        """Send a signal to forks, each with all its processes."""
        for name in names or [child.name for child in FORKS]:
            if pid := self.pid_of(name):
                os.killpg(pid, number)

    def kill(self, name: str) -> None:
        """Kill a fork, and return once another one has its place."""
        pid = self.pid_of(name)
        self.signal(signal.SIGKILL, name)
        wait_for(lambda: self.pid_of(name) not in {None, pid})

    def kill_child(self, name: str) -> None:
        """Kill the processes that do the work of a worker, and return once it has others."""
        worker = self.pid_of(name)
        assert worker is not None
        killed = descendants(worker)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: set(descendants(worker)) - set(killed))

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Let a fork stand still while the block runs."""
        self.signal(signal.SIGSTOP, name)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT, name)

    def stands_still(self) -> bool:
        """Stop all forks, provided that none of them holds a lock; otherwise let them go on."""
        self.signal(signal.SIGSTOP)
        time.sleep(0.02)  # for what was sent just before
        if not others_at_work():
            return True
        self.signal(signal.SIGCONT)
        return False

    def end(self) -> None:
        """Stop everything."""
        self._process.terminate()
        self._process.wait(timeout=30)

"""Real processes: on the test database, found by name, waited for with a limit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def database_url() -> str:
    """Return the address of the test database."""
    database = connection.settings_dict
    login = f"{database['USER']}:{quote(database['PASSWORD'], safe='')}"
    server = f"{quote(database['HOST'], safe='')}:{database['PORT']}"
    return f"postgres://{login}@{server}/{database['NAME']}"


def child_environment() -> dict[str, str]:
    """Return the environment of a process that works on the test database."""
    return {**os.environ, "DATABASE_URL": database_url(), "EMAIL_URL": "console:"}


def start_command(*arguments: str) -> subprocess.Popen[str]:
    """Start ``manage.py`` on the test database."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], object], *, seconds: float = 90) -> None:
    """Return once ``condition`` holds; fail when it does not within ``seconds``.

    Long enough for a process to start on a machine that reads all of it from a slow disk.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def descendants(root: int) -> list[int]:
    """Return the ids of all processes below ``root``, parents first."""
    found = [root]
    for pid in found:
        found += _children_of(pid)
    return found[1:]


def comm(pid: int) -> str:
    """Return the name of a process; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def command_line(pid: int) -> list[str]:
    """Return the words with which a process was started; none when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def _children_of(pid: int) -> list[int]:
    """Return the children of a process, asked of its threads; none when it has ended meanwhile."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for each in lists for child in each.split()]

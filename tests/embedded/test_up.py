"""``./baton up`` as a whole: every process real, every kill real."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from crm.embedded.children import FORKS
from crm.embedded.location import ROOT, socket_dir, state_dir
from tests.embedded.conftest import install, own_state
from tests.processes import comm, command_line, descendants, wait_for

pytestmark = pytest.mark.faults

UP = (sys.executable, "-m", "crm.embedded.up", "--no-demo")


class Up:
    """A running ``up`` that can be ended and started again."""

    def __init__(self, *, port: int) -> None:
        self.port = port
        self.start()

    def start(self) -> None:
        """Start it, and go on once it says that it runs."""
        command = [*UP, f"--port={self.port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        wait_for(lambda: f"process {self.process.pid}," in owner())
        self.was_held_while_preparing = is_taken(int(owner().rsplit(":", 1)[1]))
        lines = iter(self.process.stdout.readline, "")
        self.url = next(line for line in lines if "runs at" in line).split()[-1]
        self.collector_url = next(line for line in lines if "send events" in line).split()[-1]
        next(line for line in lines if "Ctrl-C" in line)

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C and return the exit status and the last line."""
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=30)
        return self.process.returncode, output.splitlines()[-1]

    def page(self) -> int | None:
        """Return the status of the page that a stranger gets first; None while there is none."""
        return status_of(self.url)

    def pid_of(self, name: str) -> int | None:
        """Return the process id of a child or grandchild that has ``name`` in its command line."""
        for pid in descendants(self.process.pid):
            if name in (comm(pid), *command_line(pid)):
                return pid
        return None


@pytest.fixture(scope="module")
def up(cluster: Path) -> Iterator[Up]:
    """Run ``up`` on a port that somebody else would like, too."""
    with (
        own_state() as folder,
        pytest.MonkeyPatch.context() as patch,
        socket.create_server(("127.0.0.1", 0)) as rival,
    ):
        install(cluster, folder)
        patch.setenv("BATON_STATIC_ROOT", str(folder / "static"))
        running = Up(port=rival.getsockname()[1])
        yield running
        running.end()


def test_a_page_is_served_on_a_port_that_was_free(up: Up) -> None:
    assert up.page() == 200


def test_nobody_else_got_its_port_while_the_database_was_prepared(up: Up) -> None:
    assert up.was_held_while_preparing


def test_the_collector_is_served_beside_it(up: Up) -> None:
    wait_for(lambda: status_of(f"{up.collector_url}/health") == 200)


def test_the_second_up_says_that_the_first_one_runs_and_where(up: Up) -> None:
    second = subprocess.run(UP, capture_output=True, text=True, check=False)

    assert second.returncode == 1
    assert f"process {up.process.pid}, {up.url}" in second.stdout


def test_a_management_command_uses_the_running_servers(up: Up) -> None:
    with database() as connection:
        started = connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()

    code = "from django.db import connection as c; k = c.cursor();"
    code += "k.execute('SELECT pg_postmaster_start_time()::text'); print(k.fetchone()[0])"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert (done.stdout.strip(),) == started


@pytest.mark.parametrize(
    "name",
    [
        "web",
        "collector",
        "background",
        *(child.name for child in FORKS),
        "postgres",
        "valkey-server",
    ],
)
def test_a_killed_child_is_replaced_and_pages_go_on(up: Up, name: str) -> None:
    sought = {
        "web": "crm.wsgi:application",
        "collector": "engagement.collector.process:application",
        "background": "crm.embedded.background",
    }.get(name, name)
    wait_for(lambda: up.pid_of(sought))
    killed = up.pid_of(sought)
    assert killed is not None

    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: up.pid_of(sought) not in {None, killed})
    wait_for(lambda: up.page() == 200)

    assert up.process.poll() is None


def test_no_page_fails_for_the_connections_of_a_database_that_was_killed(up: Up) -> None:
    with ThreadPoolExecutor(16) as people:
        list(people.map(lambda _: up.page(), range(64)))  # the pools of both processes are full
    pid = up.pid_of("postgres")
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    answers: list[int | None] = []

    def all_is_well_again() -> bool:
        answers.append(up.page())
        return answers[-32:] == [200] * 32

    wait_for(all_is_well_again)
    assert set(answers) <= {200, 503}


def test_ctrl_c_ends_every_process_within_ten_seconds_and_the_next_start_has_the_data(
    up: Up,
) -> None:
    with database() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1")
    family = descendants(up.process.pid)

    began = time.monotonic()
    ending = up.end()
    took = time.monotonic() - began
    left = [pid for pid in family if comm(pid)]
    up.start()

    assert ending == (0, "Stopped. The data stays for the next start.")
    assert left == []
    assert took < 10
    assert up.page() == 200
    with database() as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def status_of(url: str) -> int | None:
    """Return the status of a page; None while there is none."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return None


def owner() -> str:
    """Return what the owner of the state directory says of itself."""
    file = state_dir() / "owner.lock"
    return file.read_text().strip() if file.exists() else ""


def is_taken(port: int) -> bool:
    """Say whether others cannot listen on a port."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


def database() -> psycopg.Connection:
    return psycopg.connect(host=str(socket_dir()), user="baton", dbname="baton")

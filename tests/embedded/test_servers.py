"""Real servers, killed for real."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from crm.embedded.location import CannotStart, service_account, socket_dir, valkey_socket
from crm.embedded.postgres import OtherVersion, Postgres
from crm.embedded.process import Process, StillRunning, credentials
from crm.embedded.servers import Server, available_servers, running, start, wanted_servers
from crm.embedded.supervisor import Supervisor
from crm.embedded.valkey import Valkey
from tests.processes import wait_for


def database() -> psycopg.Connection:
    return psycopg.connect(host=str(socket_dir()), user="baton", dbname="baton", autocommit=True)


def store() -> "redis.Redis":
    return redis.Redis(unix_socket_path=str(valkey_socket()))


def write_everywhere(value: str) -> None:
    with database() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])
    with store() as client:
        client.rpush("kept", value)


def read_everywhere() -> tuple[list[str], list[str]]:
    with database() as connection:
        rows = [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]
    with store() as client:
        return rows, [value.decode() for value in client.lrange("kept", 0, -1)]


@contextmanager
def in_another_process(block: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``block`` with the servers in a process of its own, once it has them.

    The end of our ``with`` closes its standard input and waits for it.
    """
    code = (
        "import sys, time\n"
        "from crm.embedded.servers import available_servers\n"
        "with available_servers('another process'):\n"
        f"    print('ready', flush=True)\n    {block}"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def test_what_was_written_is_there_after_a_stop_and_a_start(installed: Path) -> None:
    with running(wanted_servers()):
        write_everywhere("1")
    assert not Postgres().is_ready()
    assert not Valkey().is_ready()

    with running(wanted_servers()):
        write_everywhere("2")
        kept = read_everywhere()

    assert kept == (["1", "2"], ["1", "2"])


@pytest.mark.parametrize("server", [Postgres(), Valkey()], ids=["postgres", "valkey"])
def test_a_killed_server_is_started_again_with_its_data(installed: Path, server: Server) -> None:
    supervisor = Supervisor()
    try:
        processes = {each: start(each) for each in wanted_servers()}
        supervisor.begin_stage(*processes.values())
        write_everywhere("before")
        killed = processes[server].pid
        assert killed is not None

        os.kill(killed, signal.SIGKILL)
        supervisor.look_after_until(lambda: processes[server].pid != killed and server.is_ready())

        assert read_everywhere() == (["before"], ["before"])
    finally:
        supervisor.stop()


@pytest.mark.parametrize("server", [Postgres(), Valkey()], ids=["postgres", "valkey"])
def test_two_servers_never_share_a_directory(installed: Path, server: Server) -> None:
    with running([server]), pytest.raises(StillRunning):
        Process(server.program()).start()


def test_a_dead_servers_process_id_in_use_by_another_program_keeps_nothing_from_starting(
    installed: Path,
) -> None:
    postgres = Postgres()
    postgres.create()
    with subprocess.Popen(["sleep", "60"], **credentials(service_account())) as bystander:
        pid_file = postgres.cluster / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{postgres.cluster}\n1700000000\n5432\n\n\n0 0\n")

        with running([postgres]):
            ready = postgres.is_ready()

        bystander.kill()
    assert ready


def test_an_interrupted_initialisation_leaves_nothing_behind(state: Path) -> None:
    (state / "new-postgres.1").mkdir()

    Postgres().create()

    assert [path.name for path in state.glob("*postgres*")] == [Postgres().cluster.name]


def test_data_of_another_major_version_is_not_touched(state: Path) -> None:
    (state / "postgres-9").mkdir()

    with pytest.raises(OtherVersion, match="postgres-9"):
        Postgres().create()


def test_a_server_named_by_the_environment_is_not_embedded(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wanted_servers() == [Postgres(), Valkey()]

    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/else")
    assert wanted_servers() == [Valkey()]

    monkeypatch.setenv("REDIS_URL", "redis://somewhere:6379/0")
    assert wanted_servers() == []
    with available_servers("a test"):
        assert [path.name for path in state.iterdir()] == []


def test_a_command_joins_the_servers_that_run_already(installed: Path) -> None:
    with in_another_process("sys.stdin.read()"):
        with available_servers("a test"):
            write_everywhere("as a guest")
        assert Postgres().is_ready()


def test_a_command_that_owns_the_servers_ends_after_its_guests(installed: Path) -> None:
    with in_another_process("pass") as owner:
        pass  # it may end as soon as it likes
    owner.wait()
    with in_another_process("sys.stdin.readline()") as owner:
        with available_servers("a test"):
            assert owner.stdin is not None
            owner.stdin.write("end\n")
            owner.stdin.flush()
            assert owner.stdout is not None
            assert "Waiting" in owner.stdout.readline()
            write_everywhere("while the owner waits")
        owner.wait(timeout=10)
    assert not Postgres().is_ready()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's alone")
def test_servers_end_when_whoever_runs_them_is_killed(installed: Path) -> None:
    with in_another_process("sys.stdin.read()") as owner:
        write_everywhere("before")
        owner.kill()
        owner.wait()
        wait_for(lambda: not Postgres().is_ready() and not Valkey().is_ready())

    with available_servers("a test"):
        assert read_everywhere() == (["before"], ["before"])


def test_a_server_that_does_not_come_up_says_why(installed: Path) -> None:
    broken = Postgres()
    broken.create()
    (broken.cluster / "postgresql.conf").write_text("no_such_setting = 1\n")

    with pytest.raises(CannotStart, match="no_such_setting"):
        start(broken)

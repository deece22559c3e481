"""Runs everything: servers, web, workers, beat. Standard library only, so it stays small."""

import argparse
import http.client
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO

from crm.embedded import children
from crm.embedded.location import (
    ROOT,
    CannotStart,
    logins_note,
    make_private,
    service_account,
    state_dir,
)
from crm.embedded.ports import HeldPort, hold_port
from crm.embedded.process import Program, credentials, say
from crm.embedded.servers import (
    lock_file,
    read_owner,
    sign,
    start,
    try_lock,
    wanted_servers,
)
from crm.embedded.supervisor import Supervisor

DEFAULT_PORT = 8000
OWNER = "./baton up"
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SILENCE = 60.0  # seconds to wait for a first page before going on without


class AlreadyRunning(CannotStart):
    """Another ``up`` runs on the same state directory."""


class PreparationFailed(CannotStart):
    """The database, the static files or the demo data could not be brought up to date."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``up``."""
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="first port to try (default: %(default)s)"
    )
    parser.add_argument(
        "--no-demo", action="store_true", help="start empty instead of with the demo company"
    )


def main() -> int:
    """Run until told to stop; return the exit status."""
    parser = argparse.ArgumentParser(prog="./baton up", description="Run Baton on this machine.")
    add_arguments(parser)
    options = parser.parse_args()
    for number in END_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        with lock_file("owner.lock") as owner:
            _own(owner)
            _run(owner, options)
    except CannotStart as problem:
        say(f"Baton cannot start: {problem}")
        return 1
    except KeyboardInterrupt:
        say("Stopped. The data stays for the next start.")
    return 0


def _own(owner: IO[str]) -> None:
    """Become the owner of the servers, after any management command that runs them just now.

    Raises:
        AlreadyRunning: the owner is another ``up``.
    """
    told = False
    while not try_lock(owner):
        user = read_owner(owner)
        if user.startswith(OWNER):
            raise AlreadyRunning(f"it runs already: {user}")
        if not told:
            say(f"Waiting for {user} to finish with the database ...")
            told = True
        time.sleep(0.1)


def _run(owner: IO[str], options: argparse.Namespace) -> None:
    with hold_port(options.port) as port, hold_port(port.number + 1) as collector_port:
        url = f"http://localhost:{port.number}"
        sign(owner, f"{OWNER}, process {os.getpid()}, {url}")
        os.environ.setdefault("PUBLIC_URL", url)
        os.environ.setdefault("COLLECTOR_URL", f"http://localhost:{collector_port.number}")
        for folder in ("media", "spool"):
            make_private(state_dir() / folder)
        supervisor = Supervisor()
        try:
            for server in wanted_servers():
                supervisor.begin_stage(start(server))
            _prepare(demo=not options.no_demo)
            _start_programs(supervisor, port, collector_port)
            _welcome(url, os.environ["COLLECTOR_URL"])
            supervisor.look_after_until(lambda: False)
        finally:
            for number in END_SIGNALS:
                signal.signal(number, signal.SIG_IGN)  # we are ending already
            supervisor.stop()


def _start_programs(supervisor: Supervisor, port: HeldPort, collector_port: HeldPort) -> None:
    """Start the web, and once it answers the others."""
    web, *others = _programs(port.number, collector_port.number)
    supervisor.begin_stage()
    port.release()
    supervisor.start(web)
    supervisor.look_after_until(_answer_or_silence(port.number))
    collector_port.release()
    for program in others:
        supervisor.start(program)


def _prepare(*, demo: bool) -> None:
    command = [sys.executable, "manage.py", "prepare", *(["--demo"] if demo else [])]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, start_new_session=True)
    if done.returncode:
        raise PreparationFailed(f"preparing failed with status {done.returncode}, see above")


def _programs(port: int, collector_port: int) -> list[Program]:
    account = children_account()
    environment = {"PYTHONUNBUFFERED": "1"}
    if account is None and os.geteuid() == 0:
        environment["C_FORCE_ROOT"] = "1"
    logs = make_private(state_dir() / "logs")
    return [
        Program(
            name=child.name,
            command=child.arguments,
            log=logs / f"{child.name}.log",
            environment=environment,
            account=account,
            grace=child.grace,
        )
        for child in children.programs(port=port, collector_port=collector_port)
    ]


def children_account() -> pwd.struct_passwd | None:
    """Return the account for web and workers; None means our own.

    Root gives them the servers' account, so a hole in the application is not a hole in the machine.
    Where that account cannot read the checkout or Python (both often lie below root's closed home)
    they run as root all the same: opening root's directories, or copying the application elsewhere
    behind root's back, would be the greater surprise.
    """
    account = service_account()
    if account is None:
        return None
    if _can_run_the_application(account):
        return account
    say(f"Web and workers run as root: {account.pw_name} cannot read {ROOT} or {sys.executable}.")
    return None


def _can_run_the_application(account: pwd.struct_passwd) -> bool:
    trial = [sys.executable, "-c", "import crm.settings"]
    try:
        done = subprocess.run(
            trial, cwd=ROOT, check=False, capture_output=True, **credentials(account)
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _welcome(url: str, collector_url: str) -> None:
    say(f"\nBaton runs at {url}")
    say(f"Sites send events to {collector_url}")
    note = logins_note()
    if note.exists():
        say(note.read_text())
    say(f"Data and logs are in {state_dir()}. Ctrl-C stops everything; the data stays.")


def _answer_or_silence(port: int) -> Callable[[], bool]:
    """Return what tells whether the web process answers, or has kept silent for too long."""
    deadline = time.monotonic() + SILENCE
    return lambda: _answers(port) or time.monotonic() > deadline


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/robots.txt", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())

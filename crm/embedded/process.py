"""One process of ours: started, watched and stopped. Standard library only."""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn, TypedDict

from crm.embedded.location import ROOT, CannotStart, give_to_service_account

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
LOG_LIMIT = 5_000_000  # bytes; a longer log is set aside at the next start


class StillRunning(Exception):
    """A process of an earlier start is still alive."""


class StartFailed(CannotStart):
    """A program ended, or stayed silent, before it was ready."""


def nothing_to_clear() -> None:
    """Leave everything as it is: most programs need no clearing up before a start."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """How to run one program: a command, or a function that runs in a copy of this process.

    ``lock`` names a file that every process of the program keeps locked for as long as it lives:
    the kernel, not a stored process id, knows whether the program still runs. ``clear_up`` runs
    under that lock before each start.
    """

    name: str
    command: tuple[str, ...] | Callable[[], object]
    log: Path
    directory: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)
    account: pwd.struct_passwd | None = None
    lock: Path | None = None
    clear_up: Callable[[], None] = nothing_to_clear
    stop_signal: signal.Signals = signal.SIGTERM
    last_resort: signal.Signals = signal.SIGKILL
    grace: float = 3.0  # seconds between the two


class Fork:
    """A function that runs in a copy of this process; looks like a ``subprocess.Popen``.

    The copy shares all that was loaded before. Open no database connection and start no thread
    before a fork.
    """

    def __init__(self, program: Program, run: Callable[[], object], log: IO[bytes]) -> None:
        follow = follower_into_death(program.stop_signal)
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            follow()
            _live_as_child(program.name, run, log)

    def poll(self) -> int | None:
        """Return how the copy ended, negative for a signal, or None while it runs."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the copy, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Process:
    """A program and, while it runs, the process that runs it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._running: subprocess.Popen[bytes] | Fork | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the latest start."""
        return self._running.pid if self._running else None

    def is_alive(self) -> bool:
        """Tell whether the process runs; reaps it if it just ended."""
        return self._running is not None and self._running.poll() is None

    def ending(self) -> str:
        """Say in words how the process ended."""
        code = self._running.poll() if self._running else None
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with status {code}"

    def start(self) -> None:
        """Start the program in a session of its own, so a terminal's Ctrl-C reaches only us.

        Raises:
            StillRunning: a process of an earlier start holds the program's lock.
        """
        lock = _take_lock(self.program.lock) if self.program.lock else None
        try:
            self.program.clear_up()
            with _open_log(self.program.log) as log:
                self._running = self._spawn(log, lock)
        finally:
            if lock is not None:
                os.close(lock)  # the child's copy keeps it locked

    def _spawn(self, log: IO[bytes], lock: int | None) -> subprocess.Popen[bytes] | Fork:
        program = self.program
        if callable(program.command):
            return Fork(program, program.command, log)
        return subprocess.Popen(
            program.command,
            cwd=program.directory,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
            preexec_fn=follower_into_death(program.stop_signal),  # noqa: PLW1509 -- no threads
            **credentials(program.account),
        )

    def wait_until(self, is_ready: Callable[[], bool], *, timeout: float) -> None:
        """Return once ``is_ready`` says so.

        Raises:
            StartFailed: the process ended, or ``timeout`` seconds went by.
        """
        deadline = time.monotonic() + timeout
        while not is_ready():
            if not self.is_alive():
                raise StartFailed(f"{self.program.name} {self.ending()}\n{self._last_lines()}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.program.name} was not ready within {timeout:g} s")
            time.sleep(0.03)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it still runs."""
        if self._running is not None:
            self._running.send_signal(number)

    def end_group(self) -> None:
        """Make the process end, if it still runs, and whatever it left behind in its group."""
        if self._running is not None:
            try:
                os.killpg(self._running.pid, self.program.last_resort)
            except (ProcessLookupError, PermissionError):
                return

    def _last_lines(self, count: int = 15) -> str:
        lines = self.program.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-count:])


def stop_together(processes: list[Process]) -> None:
    """Ask all to stop at once, wait for as long as the most patient allows, then make them."""
    for process in processes:
        process.send(process.program.stop_signal)
    deadline = time.monotonic() + max((p.program.grace for p in processes), default=0)
    while any(p.is_alive() for p in processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in processes:
        process.end_group()


class Credentials(TypedDict):
    """The arguments of ``subprocess`` that say who runs a program; None leaves it to us."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def credentials(account: pwd.struct_passwd | None) -> Credentials:
    """Return the arguments that run a program as ``account``, in no group but its own."""
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def say(line: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _take_lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    give_to_service_account(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StillRunning(path.stem) from None
    return descriptor


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    log = path.open("ab")
    give_to_service_account(path)
    return log


def _live_as_child(name: str, run: Callable[[], object], log: IO[bytes]) -> NoReturn:
    """Run a function as a process of its own would run, and end with it."""
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
        _rename(name)
        run()
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else 1
    except BaseException:  # noqa: BLE001 -- the last stop before the process ends
        os.write(2, traceback.format_exc().encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _rename(name: str) -> None:
    """Show ``name`` as this process's name, where the system can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def follower_into_death(number: signal.Signals) -> Callable[[], None]:
    """Return what asks the kernel, in the child, to send ``number`` when we die; Linux only."""
    if sys.platform != "linux":
        return lambda: None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def follow() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return follow

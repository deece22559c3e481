"""Who runs the embedded servers: whoever needs them first; everyone else joins.

The owner keeps ``owner.lock`` and runs the servers as its children. Guests share ``guests.lock``;
an owner that could end takes it whole, and so ends only after its guests. Standard library only.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Protocol

from crm.embedded.location import (
    CannotStart,
    database_url,
    give_to_service_account,
    make_private,
    redis_url,
    state_dir,
)
from crm.embedded.postgres import Postgres
from crm.embedded.process import Process, Program, StillRunning, say, stop_together
from crm.embedded.valkey import Valkey

PATIENCE = 60.0  # seconds, for a server that must first recover from a crash


class Server(Protocol):
    """An embedded server."""

    def create(self) -> None:
        """Make what the server needs on disk, unless it is there."""

    def program(self) -> Program:
        """Return how to run it."""

    def is_ready(self) -> bool:
        """Tell whether it answers."""


def wanted_servers(*, durable: bool = True) -> list[Server]:
    """Return the servers to embed: those whose URL is not set, or is the embedded one's own."""
    servers: list[Server] = []
    if os.environ.get("DATABASE_URL") in {None, "", database_url()}:
        servers.append(Postgres(durable=durable))
    if os.environ.get("REDIS_URL") in {None, "", redis_url()}:
        servers.append(Valkey())
    return servers


@contextmanager
def available_servers(user: str, *, durable: bool = True) -> Iterator[None]:
    """Have the wanted servers answer while the block runs.

    Args:
        user: who asks, for whoever has to wait for us to end.
        durable: whether the data has to survive a crash.
    """
    servers = wanted_servers(durable=durable)
    if not servers:
        yield
        return
    with ExitStack() as stack:
        guests = stack.enter_context(lock_file("guests.lock"))
        owner = stack.enter_context(lock_file("owner.lock"))
        fcntl.flock(guests, fcntl.LOCK_SH)
        if not _own_or_join(owner, servers):
            yield
            return
        sign(owner, user)
        with running(servers):
            try:
                yield
            finally:
                _wait_for_guests(guests)


@contextmanager
def running(servers: Sequence[Server]) -> Iterator[None]:
    """Run the servers as our children while the block runs; stop them in the opposite order."""
    with ExitStack() as stack:
        for server in servers:
            stack.callback(stop_together, [start(server)])
        yield


def start(server: Server) -> Process:
    """Start a server and wait until it answers.

    Raises:
        CannotStart: it did not come up, or one of an earlier start does not go away.
    """
    server.create()
    process = Process(server.program())
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            process.start()
        except StillRunning:
            if time.monotonic() > deadline:
                name = process.program.name
                raise CannotStart(f"a {name} of an earlier start still runs; stop it") from None
            time.sleep(0.1)
        else:
            break
    try:
        process.wait_until(server.is_ready, timeout=PATIENCE)
    except BaseException:
        stop_together([process])
        raise
    return process


@contextmanager
def lock_file(name: str) -> Iterator[IO[str]]:
    """Open a file of the state directory to lock; closing it unlocks it."""
    path = make_private(state_dir()) / name
    with Path(path).open("a+") as file:
        give_to_service_account(path)
        yield file


def try_lock(file: IO[str]) -> bool:
    """Lock ``file`` for us alone, unless anybody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sign(owner: IO[str], user: str) -> None:
    """Write into the owner's lock file who owns the servers."""
    owner.truncate(0)
    owner.write(user)
    owner.flush()


def _own_or_join(owner: IO[str], servers: Sequence[Server]) -> bool:
    """Tell whether the servers are ours to run; if not, return once their owner has them up."""
    deadline = time.monotonic() + PATIENCE
    while not try_lock(owner):
        if all(server.is_ready() for server in servers):
            return False
        if time.monotonic() > deadline:
            raise CannotStart(f"the servers that {read_owner(owner)} runs do not answer")
        time.sleep(0.05)
    return True


def read_owner(owner: IO[str]) -> str:
    """Return what the owner wrote about itself."""
    owner.seek(0)
    return owner.read() or "another process"


def _wait_for_guests(guests: IO[str]) -> None:
    if not try_lock(guests):
        say("Waiting for another command that uses the same servers ...")
        fcntl.flock(guests, fcntl.LOCK_EX)

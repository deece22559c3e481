"""The embedded PostgreSQL: its cluster and how to run it. Standard library only."""

import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from crm.embedded.binaries import postgres_major, postgres_programs
from crm.embedded.location import (
    CannotStart,
    give_to_service_account,
    make_private,
    service_account,
    socket_dir,
    state_dir,
)
from crm.embedded.process import Program, StartFailed, credentials

NAME = "baton"  # of the database and of its owner

DRAFT = "new-postgres."
# For data that nobody will miss: tests.
CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class OtherVersion(CannotStart):
    """The state directory holds a cluster of another major version of PostgreSQL."""


@dataclass(frozen=True)
class Postgres:
    """The cluster in the state directory. ``durable=False`` trades safety for speed."""

    durable: bool = True

    @property
    def cluster(self) -> Path:
        """The cluster's directory; a new major version of PostgreSQL gets a new one."""
        return state_dir() / f"postgres-{postgres_major()}"

    def create(self) -> None:
        """Make the cluster and our database in it, unless they are there.

        Both are made aside and appear under their name only when complete; what an interrupted
        attempt left aside is removed.

        Raises:
            OtherVersion: there is data, but of another major version.
        """
        make_private(state_dir())
        make_private(socket_dir())
        if self.cluster.exists():
            return
        others = sorted(path.name for path in state_dir().glob("postgres-*"))
        if others:
            raise OtherVersion(
                f"{state_dir()} holds data of {others[0]}, the installed server is"
                f" {self.cluster.name}: dump the old data with the old version, move the folder"
                " away, and restore into the new one."
            )
        for left in state_dir().glob(f"{DRAFT}*"):
            shutil.rmtree(left)
        draft = Path(tempfile.mkdtemp(dir=state_dir(), prefix=DRAFT))
        give_to_service_account(draft)
        self._run(
            "initdb",
            "--username=" + NAME,
            "--auth=trust",  # the one way in is a socket in a directory closed to everyone else
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
            *(() if self.durable else ("--no-sync",)),
            "--pgdata=" + str(draft),
        )
        single_user = ("--single", "-D", str(draft), "template1")
        self._run("postgres", *single_user, statement=f"CREATE DATABASE {NAME}")
        draft.rename(self.cluster)

    def program(self) -> Program:
        """Return how to run the server: on its socket only."""
        settings = (
            "listen_addresses=",
            f"unix_socket_directories={socket_dir()}",
            "shared_preload_libraries=pg_stat_statements",
            "timezone=UTC",
            "log_timezone=UTC",
            *(() if self.durable else CARELESS),
        )
        options = [option for setting in settings for option in ("-c", setting)]
        return Program(
            name="postgres",
            command=(str(postgres_programs() / "postgres"), "-D", str(self.cluster), *options),
            directory=state_dir(),
            log=make_private(state_dir() / "logs") / "postgres.log",
            account=service_account(),
            lock=state_dir() / "postgres.lock",
            clear_up=self._forget_dead_server,
            stop_signal=signal.SIGINT,  # "fast": roll back what is open, then end
            last_resort=signal.SIGQUIT,  # "immediate"; never SIGKILL, which would orphan backends
            grace=4,  # for the last checkpoint
        )

    def is_ready(self) -> bool:
        """Tell whether the server takes connections."""
        command = (postgres_programs() / "pg_isready", "--quiet", f"--host={socket_dir()}")
        return subprocess.run(command, check=False).returncode == 0

    def _forget_dead_server(self) -> None:
        """Remove a dead server's pid file, lest another process with that id passes for it.

        Safe since the program's lock is ours at this moment: no server process is left.
        """
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _run(self, program: str, *arguments: str, statement: str = "") -> None:
        done = subprocess.run(
            (postgres_programs() / program, *arguments),
            cwd=state_dir(),
            input=statement,
            capture_output=True,
            text=True,
            check=False,
            **credentials(service_account()),
        )
        if done.returncode:
            raise StartFailed(f"{program} ended with status {done.returncode}\n{done.stderr}")

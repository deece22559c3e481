"""The embedded Valkey and how to run it. Standard library only."""

import socket
from dataclasses import dataclass
from pathlib import Path

from crm.embedded.binaries import valkey_server
from crm.embedded.location import (
    make_private,
    service_account,
    socket_dir,
    state_dir,
    valkey_socket,
)
from crm.embedded.process import Program


@dataclass(frozen=True)
class Valkey:
    """The Valkey in the state directory: an append-only file, no snapshots, a socket, no port."""

    @property
    def directory(self) -> Path:
        """Where the server keeps its file."""
        return state_dir() / "valkey"

    def create(self) -> None:
        """Make the directories the server needs."""
        for directory in (state_dir(), socket_dir(), self.directory):
            make_private(directory)

    def program(self) -> Program:
        """Return how to run the server.

        Two servers in one directory would both write its file; the program's lock prevents that.
        """
        options = {
            "--port": "0",
            "--unixsocket": str(valkey_socket()),
            "--unixsocketperm": "700",
            "--dir": str(self.directory),
            "--save": "",
            "--appendonly": "yes",
            "--appendfsync": "everysec",
            "--maxmemory-policy": "noeviction",
        }
        return Program(
            name="valkey",
            command=(str(valkey_server()), *(word for pair in options.items() for word in pair)),
            directory=self.directory,
            log=make_private(state_dir() / "logs") / "valkey.log",
            account=service_account(),
            lock=state_dir() / "valkey.lock",
            grace=1.5,
        )

    def is_ready(self) -> bool:
        """Tell whether the server answers, which it does not while it reads its file."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(valkey_socket()))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

"""A collector as ``up`` runs it: a process of its own that can be killed and started again."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.embedded.children import programs
from crm.embedded.location import ROOT
from tests.processes import descendants, wait_for


@dataclass(frozen=True)
class Reply:
    """What the collector answered."""

    status: int
    headers: Mapping[str, str]
    content: Any

    @property
    def code(self) -> str:
        """The code of an error."""
        return str(self.content["code"])


@dataclass
class Collector:
    """The collector on a database and a spool; further settings come by ``environment``."""

    database_url: str
    spool: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it on the port it had before, if any, and go on once it answers."""
        self.port = self.port or free_port()
        [child] = [each for each in programs(port=0, collector_port=self.port)
                   if each.name == "collector"]  # fmt: skip
        self.process = subprocess.Popen(
            child.arguments,
            cwd=ROOT,
            env={
                **os.environ,
                "BATON_MODE": "local",
                "DATABASE_URL": self.database_url,
                "COLLECTOR_URL": self.url,
                "BATON_SPOOL": str(self.spool),
                **self.environment,
            },
            stdout=subprocess.DEVNULL,
        )
        wait_for(self.answers)

    @property
    def url(self) -> str:
        """The address that clients are told."""
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Say whether it takes requests."""
        try:
            return self.request("GET", "/health").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self) -> None:
        """End it as a service manager does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)

    def kill(self) -> None:
        """Kill all its processes at once."""
        assert self.process is not None
        for pid in (self.process.pid, *descendants(self.process.pid)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=10)

    @property
    def worker(self) -> int:
        """The id of the process that answers."""
        assert self.process is not None
        return descendants(self.process.pid)[-1]

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            connection.close()
        names = {name.lower(): value for name, value in answer.getheaders()}
        is_json = names.get("content-type") == "application/json"
        return Reply(answer.status, names, json.loads(raw) if is_json else raw)

    def post(
        self, path: str, body: object, *, key: str = "KEY", packed: bool = False, **headers: str
    ) -> Reply:
        """Post an object as JSON, or bytes as they are; names of headers with underscores."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            named["authorization"] = f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"
        if packed:
            raw, named["content-encoding"] = gzip.compress(raw), "gzip"
        return self.request("POST", path, raw, named)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def page(number: int, **values: object) -> dict[str, object]:
    """Return a message with an id of its own."""
    return {"type": "page", "messageId": f"m-{number}", "anonymousId": "laptop", **values}

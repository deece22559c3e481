"""A site that sends without a pause and keeps its own ledger of what was acknowledged."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from tests.collecting import Collector, page
from tests.processes import wait_for

KEY = "Basic " + base64.b64encode(b"KEY:").decode()


class Site:
    """Sends messages from several threads, each again until it is acknowledged, as clients do."""

    def __init__(self, collector: Collector, *, threads: int = 4) -> None:
        self._collector = collector
        self._numbers = count()
        self._stopping = threading.Event()
        self.acknowledged: set[str] = set()
        self.failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._send_all, args=(batch,), daemon=True)
            for batch in (index % 2 == 1 for index in range(threads))
        ]

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send while the block runs, and until the last message is acknowledged."""
        for thread in self._threads:
            thread.start()
        self.await_more()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join(timeout=60)
                assert not thread.is_alive()

    def await_more(self, messages: int = 100) -> None:
        """Return once so many more messages are acknowledged."""
        goal = len(self.acknowledged) + messages
        wait_for(lambda: len(self.acknowledged) >= goal)

    def _send_all(self, in_batches: bool) -> None:
        while not self._stopping.is_set():
            pages = [page(next(self._numbers)) for _ in range(7 if in_batches else 1)]
            path, body = ("/v1/batch", {"batch": pages}) if in_batches else ("/v1/p", pages[0])
            while not self._is_acknowledged(path, json.dumps(body)):
                time.sleep(0.05)
            self.acknowledged |= {str(each["messageId"]) for each in pages}

    def _is_acknowledged(self, path: str, body: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._collector.port, timeout=15)
        try:
            connection.request("POST", path, body, {"Authorization": KEY})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as problem:
            self.failures.append(type(problem).__name__)
            return False
        finally:
            connection.close()
        if answer.status != 200:
            self.failures.append(str(answer.status))
        return answer.status == 200

"""The tracker's script as the collector serves it: with an ETag, packed for whoever takes it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

from engagement.collector.answers import Answer, Headers

#: Sites get a new version within the hour, and until then ask nobody; our choice.
_CACHE = b"public, max-age=3600"


class Script:
    """The content of a file, read once."""

    def __init__(self, path: Path) -> None:
        self._plain = path.read_bytes()
        self._packed = gzip.compress(self._plain, mtime=0)
        self._etag = f'"{hashlib.sha256(self._plain).hexdigest()[:20]}"'.encode()

    def answer(self, headers: Mapping[bytes, bytes], *, with_body: bool) -> Answer:
        """Return the file, or 304 for who has it already."""
        shared: Headers = [
            (b"access-control-allow-origin", b"*"),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"cache-control", _CACHE),
            (b"vary", b"accept-encoding"),
            (b"etag", self._etag),
        ]
        if self._etag in headers.get(b"if-none-match", b""):
            return Answer(304, shared)
        is_packed = b"gzip" in headers.get(b"accept-encoding", b"")
        body = self._packed if is_packed else self._plain
        shared += [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-length", str(len(body)).encode()),
        ]
        if is_packed:
            shared.append((b"content-encoding", b"gzip"))
        return Answer(200, shared, body if with_body else b"")

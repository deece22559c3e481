"""Reads the body of a request with a limit to its size, its time, and the memory of all of them."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from engagement.collector.answers import RETRY_AFTER, declined

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

#: Seconds for a whole body.
SLOWEST = 10.0
#: A body that is too long is read up to here all the same: a client that still sends hears nothing.
_READ_TO_REFUSE = 8 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Gone(Exception):
    """The client went away; nobody is left to answer."""


class Bodies:
    """All bodies that are held at one time, ``most`` bytes together."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._held = 0

    @asynccontextmanager
    async def read(
        self, receive: Receive, headers: Mapping[bytes, bytes], *, largest: int
    ) -> AsyncIterator[bytes]:
        """Give the body, unpacked, at most ``largest`` bytes, and count it while the block runs.

        Raises:
            Declined: it is too long, too slow, packed in an unknown way, or there is no room now.
            Gone: it did not arrive whole.
        """
        told = _length(headers)
        size = largest if told is None else min(told, largest)
        if self._held + size > self._most:
            raise declined(503, "busy", "Too much at once.", retry_after=RETRY_AFTER)
        self._held += size
        try:
            if told is not None and told > _READ_TO_REFUSE:
                raise _too_large(largest)
            raw = await _receive(receive, largest)
            yield _unpacked(raw, headers.get(b"content-encoding", b""), largest)
        finally:
            self._held -= size


async def _receive(receive: Receive, largest: int) -> bytes:
    try:
        async with asyncio.timeout(SLOWEST):
            return await _joined(receive, largest)
    except TimeoutError:
        raise declined(408, "too_slow", f"The body took longer than {SLOWEST:g} s.") from None


async def _joined(receive: Receive, largest: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size <= largest:
            parts.append(part)
        else:
            parts.clear()
        if not message.get("more_body") or size > _READ_TO_REFUSE:
            break
    if size > largest:
        raise _too_large(largest)
    return b"".join(parts)


def _unpacked(raw: bytes, encoding: bytes, largest: int) -> bytes:
    encoding = encoding.strip().lower()
    if encoding in (b"", b"identity"):
        return raw
    if encoding not in (b"gzip", b"x-gzip"):
        raise declined(415, "encoding_unknown", "The body is packed in an unknown way; use gzip.")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        body = unpacker.decompress(raw, largest + 1)
    except zlib.error:
        raise declined(400, "gzip_invalid", "The body is not what gzip makes.") from None
    if len(body) > largest:
        raise _too_large(largest)
    if not unpacker.eof or unpacker.unused_data:
        raise declined(400, "gzip_invalid", "The body is not one whole gzip file.")
    return body


def _length(headers: Mapping[bytes, bytes]) -> int | None:
    told = headers.get(b"content-length", b"")
    return int(told) if told.isdigit() and len(told) < 16 else None


def _too_large(largest: int) -> Exception:
    return declined(413, "too_large", f"The body is longer than {largest} bytes.")

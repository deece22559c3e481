"""Reads the body of a request with a limit to its size, its time, and the memory of all of them."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
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


class Room:
    """Memory for the bodies of all requests at one time, ``most`` bytes together."""

    def __init__(self, *, most: int) -> None:
        self._left = most

    @contextmanager
    def reserved(self, size: int) -> Iterator[None]:
        """Hold so many bytes while the block runs.

        Raises:
            Declined: there is no room now.
        """
        if size > self._left:
            raise declined(503, "busy", "Too much at once.", retry_after=RETRY_AFTER)
        self._left -= size
        try:
            yield
        finally:
            self._left += size


def size_of(headers: Mapping[bytes, bytes], *, largest: int) -> int:
    """Return how many bytes a body may take: ``largest``, unless it says that it is smaller."""
    told = _length(headers)
    is_packed = b"content-encoding" in headers
    return largest if told is None or is_packed else min(told, largest)


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], *, largest: int) -> bytes:
    """Return the body of a request, unpacked, at most ``largest`` bytes.

    Raises:
        Declined: it is too long, too slow or packed in an unknown way.
        Gone: it did not arrive whole.
    """
    told = _length(headers)
    if told is not None and told > _READ_TO_REFUSE:
        raise _too_large(largest)
    raw = await _receive(receive, largest)
    encoding = headers.get(b"content-encoding")
    return raw if encoding is None else _unpacked(raw, encoding, largest)


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

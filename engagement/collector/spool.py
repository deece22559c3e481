"""Where messages wait while the database is away: files that are appended to and fsynced.

A record is a header (length and checksum of the rest, number of messages) and rows of the inbox. A
process appends to a file of its own, which it keeps locked; whoever can lock a file may replay it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

#: A file is closed when it is this long, so that little is replayed twice; bytes, our choice.
SEGMENT = 8 * 1024 * 1024
_HEADER = struct.Struct(">III")  # bytes of the rows, their CRC-32, number of rows
_LONGEST_RECORD = 64 * 1024 * 1024
_SUFFIX = ".spool"


class SpoolFull(Exception):
    """No further message can be kept on the disk."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: the number of messages, and since when the oldest does (None for nothing)."""

    messages: int
    since: datetime | None


class Spool:
    """The files of one folder, ``limit`` bytes together at most. Threads may share it."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def append(self, rows: Sequence[bytes]) -> None:
        """Return once the rows are on the disk.

        Raises:
            SpoolFull: they are not, for want of room or because the disk refuses.
        """
        content = b"".join(rows)
        record = _HEADER.pack(len(content), zlib.crc32(content), len(rows)) + content
        with self._lock:
            if self._size() + len(record) > self._limit:
                raise SpoolFull("the spool has reached its limit")
            try:
                self._write(record)
            except OSError as error:
                self._end()  # the next record begins a file of its own
                raise SpoolFull(str(error)) from error

    def close(self) -> None:
        """End the file that is appended to; the next record begins another."""
        with self._lock:
            self._end()

    def backlog(self) -> Backlog:
        """Return what waits, in the files of all processes."""
        segments = self.segments()
        since = int(segments[0].name.partition("-")[0]) / 1e9 if segments else None
        return Backlog(
            messages=sum(_count_rows(each) for each in segments),
            since=None if since is None else datetime.fromtimestamp(since, UTC),
        )

    def segments(self) -> list[Path]:
        """Return the files, the oldest first."""
        return sorted(self._folder.glob(f"*{_SUFFIX}"))

    def _write(self, record: bytes) -> None:
        file = self._file or self._begin()
        start = file.tell()
        try:
            _write_all(file, record)
        except OSError:
            with suppress(OSError):  # then a reader finds the end damaged, and drops only that
                file.truncate(start)
            raise
        if file.tell() >= SEGMENT:
            self._end()

    def _begin(self) -> IO[bytes]:
        """Return a new file, locked before a replay could find it empty and take it away."""
        file = self._make()
        while not os.fstat(file.fileno()).st_nlink:
            self._end()
            file = self._make()
        _sync_folder(self._folder)
        return file

    def _make(self) -> IO[bytes]:
        path = self._folder / f"{time.time_ns():020d}-{os.getpid()}{_SUFFIX}"
        file = self._file = path.open("xb", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _size(self) -> int:
        return sum(_size_of(path) for path in self.segments())


@dataclass(frozen=True, slots=True)
class Damage(Exception):
    """A file cannot be read further; what stood before was read."""

    path: Path
    offset: int


def read_records(path: Path) -> Iterator[list[bytes]]:
    """Go through the records of a file, each as its rows.

    Raises:
        Damage: where a record is cut short or does not match its checksum.
    """
    with path.open("rb") as file:
        while header := file.read(_HEADER.size):
            offset = file.tell() - len(header)
            content = _content(file, header)
            if content is None:
                raise Damage(path, offset)
            yield content.splitlines(keepends=True)


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Lock a file while the block runs; say whether that was possible."""
    try:
        file = path.open("rb")
    except FileNotFoundError:  # another process has replayed it
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield path.exists()


def put_aside(path: Path) -> Path:
    """Take a damaged file out of the spool, for a person to look at; return where it is."""
    aside = path.with_suffix(".damaged")
    path.rename(aside)
    return aside


def keep_refused(path: Path, rows: Sequence[bytes]) -> Path:
    """Keep acknowledged rows that the database refuses, for a person to look at; return where."""
    aside = path.with_suffix(".refused")
    with aside.open("ab", buffering=0) as file:
        _write_all(file, b"".join(rows))
    _sync_folder(aside.parent)
    return aside


def _write_all(file: IO[bytes], record: bytes) -> None:
    if file.write(record) != len(record):
        raise OSError(errno.ENOSPC, "the disk is full")
    os.fsync(file.fileno())


def _content(file: IO[bytes], header: bytes) -> bytes | None:
    if len(header) < _HEADER.size:
        return None
    length, checksum, count = _HEADER.unpack(header)
    if not 0 < length <= _LONGEST_RECORD:  # a file may end in zeros after a crash
        return None
    content = file.read(length)
    is_whole = len(content) == length and zlib.crc32(content) == checksum
    return content if is_whole and content.count(b"\n") == count else None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # replayed meanwhile
        return 0


def _count_rows(path: Path) -> int:
    count = 0
    try:
        with path.open("rb") as file:
            while len(header := file.read(_HEADER.size)) == _HEADER.size:
                length, _, rows = _HEADER.unpack(header)
                file.seek(length, os.SEEK_CUR)
                count += rows
    except FileNotFoundError:  # replayed meanwhile
        return 0
    return count


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Group commit: what arrives while a commit is under way is written by the next one, together."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from engagement.collector.inbox import DatabaseAway, Inbox
from engagement.collector.spool import Spool, SpoolFull

logger = logging.getLogger(__name__)

#: Rows of one COPY, so that the memory for it is bounded whatever waits; our choice.
MOST_ROWS = 5_000
#: Groups that are written side by side: while one commits, the database reads the next; our choice.
WRITERS = 2


class NotKept(Exception):
    """Neither the database nor the spool takes messages now."""


@dataclass(frozen=True, slots=True)
class _Parcel:
    """The rows of one request. ``done`` gives the places of those that were refused."""

    rows: Sequence[bytes]
    done: asyncio.Future[list[int]]


class GroupCommit:
    """Writes rows to the inbox, or to the spool while the database is away."""

    def __init__(self, inbox: Inbox, spool: Spool) -> None:
        self._inbox = inbox
        self._spool = spool
        self._waiting: deque[_Parcel] = deque()
        self._bell = asyncio.Event()
        self._is_ending = False
        self.is_away = False
        self.is_refusing = False

    async def keep(self, rows: Sequence[bytes]) -> list[int]:
        """Return once the rows are durable, with the places of those that the database refused.

        Raises:
            NotKept: they are not durable.
        """
        done: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Parcel(rows, done))
        self._bell.set()
        return await done

    async def run(self) -> None:
        """Write what waits, group after group, until ``end``."""
        async with asyncio.TaskGroup() as writers:
            for _ in range(WRITERS):
                writers.create_task(self._write_groups())

    def end(self) -> None:
        """Let ``run`` return once nothing waits."""
        self._is_ending = True
        self._bell.set()

    async def _write_groups(self) -> None:
        while True:
            await self._bell.wait()
            group = self._take()
            if not self._waiting and not self._is_ending:
                self._bell.clear()
            if group:
                await self._write(group)
            elif self._is_ending:
                return

    def _take(self) -> list[_Parcel]:
        """Return the first that wait, as many as make one COPY."""
        group: list[_Parcel] = []
        size = 0
        while self._waiting and size < MOST_ROWS:
            group.append(self._waiting.popleft())
            size += len(group[-1].rows)
        return group

    async def _write(self, group: Sequence[_Parcel]) -> None:
        rows = [row for parcel in group for row in parcel.rows]
        try:
            refused = await self._keep(rows)
        except NotKept as problem:
            self.is_refusing = True
            _fail(group, problem)
        except Exception:
            logger.exception("Could not write %s messages", len(rows))
            _fail(group, NotKept("an error of ours, see the log"))
        else:
            self.is_refusing = False
            _tell(group, refused)

    async def _keep(self, rows: Sequence[bytes]) -> list[int]:
        if not self.is_away:
            try:
                return await self._inbox.keep(rows)
            except DatabaseAway as problem:
                self.is_away = True
                logger.warning("The database is away, messages go to the spool: %s", problem)
        try:
            await asyncio.to_thread(self._spool.append, rows)
        except SpoolFull as problem:
            raise NotKept(str(problem)) from problem
        return []


def _tell(group: Sequence[_Parcel], refused: Sequence[int]) -> None:
    """Give each parcel the refused places among its own rows."""
    start = 0
    for parcel in group:
        end = start + len(parcel.rows)
        if not parcel.done.done():  # its client may have gone
            parcel.done.set_result([place - start for place in refused if start <= place < end])
        start = end


def _fail(group: Sequence[_Parcel], problem: NotKept) -> None:
    for parcel in group:
        if not parcel.done.done():
            parcel.done.set_exception(problem)

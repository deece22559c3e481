"""All that the collector says to the database, on a pool of asynchronous connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from crm.common.health import BEAT
from engagement.collector.rows import COPY
from engagement.collector.sources import KnownSource
from engagement.receipts import NOTE_RECEIVED

LOOP = "collector"
#: Seconds that messages wait for the database before they go to the disk; our choice.
PATIENCE = 5.0
_CONNECT_WITHIN = 2
_OPTIONS = "-c statement_timeout=4000 -c lock_timeout=3000 -c timezone=UTC"

_SOURCES = """
    SELECT name, kind, write_key, allowed_origins, rate_limit, address_rate_limit, is_active
    FROM engagement_source
"""

_COUNT_REFUSED = """
    INSERT INTO engagement_refusalcount AS known (day, source, code, count, last_at)
    VALUES (%s, %s, %s, %s, %s) ON CONFLICT (source, day, code) DO UPDATE
    SET count = known.count + excluded.count, last_at = excluded.last_at
"""

#: A day, the name of a source and the code of a refusal.
Refused = tuple[date, str, str]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class DatabaseAway(Exception):
    """The database did not take it, and not because of what it was."""


def _in_time(
    ask: Callable[_Arguments, Coroutine[Any, Any, _Result]],
) -> Callable[_Arguments, Coroutine[Any, Any, _Result]]:
    """Wait ``PATIENCE`` seconds for an answer, and not for what asked to notice that it has to end.

    A connection whose server hangs takes ten seconds more to give up.
    """

    @wraps(ask)
    async def ask_in_time(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        asking = asyncio.create_task(ask(*args, **kwargs))
        try:
            answered, _ = await asyncio.wait({asking}, timeout=PATIENCE)
        finally:
            asking.cancel()
        if not answered:
            asking.add_done_callback(_forget)
            raise DatabaseAway(f"no answer within {PATIENCE:g} s")
        return asking.result()

    return ask_in_time


def _forget(asking: asyncio.Task[Any]) -> None:
    """Take note of how it ended, lest its end be reported as an error that nobody saw."""
    if not asking.cancelled():
        asking.exception()


class Inbox:
    """The inbox and what else the collector reads and writes. Each call commits."""

    def __init__(self, database: Mapping[str, Any]) -> None:
        """Prepare; ``database`` is an entry of Django's ``DATABASES``."""
        self._pool = AsyncConnectionPool(
            conninfo_of(database),
            kwargs={"autocommit": True},
            min_size=1,
            max_size=3,
            timeout=_CONNECT_WITHIN,
            reconnect_timeout=1,  # then the next call tries anew, instead of ever longer pauses
            open=False,
        )

    async def open(self) -> None:
        """Begin to connect, without waiting."""
        await self._pool.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close(timeout=1)

    async def keep(self, rows: Sequence[bytes]) -> list[int]:
        """Commit rows of COPY, and return the places of those that the database refuses.

        One refusal ends a COPY, so its neighbours are tried without it: by halves, each committed
        for itself.

        Raises:
            DatabaseAway: some may be committed and some not; messages are known by their ids.
        """
        try:
            await self._copy(rows)
        except (psycopg.DataError, psycopg.IntegrityError):
            if len(rows) == 1:
                return [0]
            middle = len(rows) // 2
            refused = await self.keep(rows[:middle])
            return refused + [middle + place for place in await self.keep(rows[middle:])]
        return []

    @_in_time
    async def sources(self) -> list[KnownSource]:
        """Return all sources."""
        async with self._connection() as connection:
            cursor = connection.cursor(row_factory=class_row(KnownSource))
            await cursor.execute(_SOURCES)
            return await cursor.fetchall()

    @_in_time
    async def report(
        self,
        *,
        now: datetime,
        heard: Mapping[str, datetime],
        backlog: int,
        oldest_due_at: datetime | None,
    ) -> None:
        """Leave a heartbeat, and when each source in ``heard`` sent last."""
        async with self._connection() as connection:
            if heard:
                await connection.execute(NOTE_RECEIVED, [list(heard), list(heard.values())])
            await connection.execute(BEAT, [LOOP, now, backlog, oldest_due_at, None])

    @_in_time
    async def count_refused(self, refused: Mapping[Refused, int], *, now: datetime) -> None:
        """Add to what was refused; a count is added twice when only the answer was lost."""
        if refused:
            rows = [(*what, count, now) for what, count in sorted(refused.items())]
            async with self._connection() as connection, connection.transaction():
                await connection.cursor().executemany(_COUNT_REFUSED, rows)

    @_in_time
    async def _copy(self, rows: Sequence[bytes]) -> None:
        async with (
            self._connection() as connection,
            connection.cursor() as cursor,
            cursor.copy(COPY) as copy,
        ):
            await copy.write(b"".join(rows))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (psycopg.DataError, psycopg.IntegrityError):
            raise
        except (psycopg.Error, PoolTimeout, PoolClosed, OSError) as error:
            raise DatabaseAway(str(error)) from error


def conninfo_of(database: Mapping[str, Any]) -> str:
    """Return libpq's form of an entry of Django's ``DATABASES``."""
    return make_conninfo(
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"],
        host=database["HOST"],
        port=database["PORT"],
        connect_timeout=_CONNECT_WITHIN,
        application_name=LOOP,
        options=_OPTIONS,
    )

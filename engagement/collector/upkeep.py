"""What goes on beside the requests: keys are refreshed, the spool is replayed, a heartbeat left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from django.utils import timezone

from engagement.collector.group_commit import GroupCommit
from engagement.collector.inbox import DatabaseAway, Inbox, Refused
from engagement.collector.sources import KnownSource, KnownSources
from engagement.collector.spool import (
    Damage,
    Spool,
    held,
    keep_refused,
    put_aside,
    read_records,
)

logger = logging.getLogger(__name__)

#: Seconds between two rounds; our choice.
PAUSE = 2.0
#: Seconds between two looks for keys that nobody knows, lest strangers keep the database busy.
_KEY_PAUSE = 0.05


class Upkeep:
    """The rounds, and the looks between them at keys that are not known yet."""

    def __init__(
        self, *, inbox: Inbox, spool: Spool, commit: GroupCommit, sources: KnownSources
    ) -> None:
        self._inbox = inbox
        self._spool = spool
        self._commit = commit
        self._sources = sources
        self._heard: dict[str, datetime] = {}
        self._refused: Counter[Refused] = Counter()
        self._looking = asyncio.Lock()
        self._looked_at = -PAUSE

    async def run(self) -> None:
        """Do round after round, until cancelled; a round with more to replay is not the last."""
        while True:
            try:
                has_more = await self.round()
            except DatabaseAway:
                self._sources.is_current = False
                has_more = False
            except Exception:
                logger.exception("A round of the collector failed")
                has_more = False
            await asyncio.sleep(0 if has_more else PAUSE)

    async def round(self) -> bool:
        """Do all of it once, with one file of the spool; say whether there are more."""
        if self._commit.is_away:
            await self._inbox.keep([])  # a COPY of nothing fails where one of something would
            self._commit.is_away = False
            logger.warning("The database is back")
        await self._load_sources()
        has_more = await replay_oldest(self._spool, self._inbox)
        backlog = await asyncio.to_thread(self._spool.backlog)
        await self._report_refused()
        heard, self._heard = self._heard, {}
        await self._inbox.report(
            now=datetime.now(UTC),
            heard=heard,
            backlog=backlog.messages,
            oldest_due_at=backlog.since,
        )
        return has_more

    def hear(self, source: KnownSource, now: datetime) -> None:
        """Remember that a source sent something."""
        self._heard[source.name] = now

    def refuse(self, code: str, *, source: str) -> None:
        """Count a request or a message that was refused; ``source`` is "" when nobody knows it."""
        self._refused[timezone.localdate(), source, code] += 1

    def name_of(self, write_key: str) -> str:
        """Return the name of the source with a key as far as it is known, else ""."""
        source = self._sources.get(write_key)
        return source.name if source else ""

    async def find(self, write_key: str) -> KnownSource | None:
        """Return the source with a key, asking the database when nobody knows it yet.

        Raises:
            DatabaseAway: nobody can say.
        """
        if source := self._sources.get(write_key):
            return source
        asked_at = time.monotonic()
        async with self._looking:
            if self._looked_at < asked_at:
                await asyncio.sleep(self._looked_at + _KEY_PAUSE - asked_at)
                await self._load_sources()
            elif not self._sources.is_current:
                raise DatabaseAway("the keys were not read yet")
        return self._sources.get(write_key)

    async def _report_refused(self) -> None:
        """Write what was counted; what cannot be written is written with the next round's."""
        refused, self._refused = self._refused, Counter()
        try:
            await self._inbox.count_refused(refused, now=datetime.now(UTC))
        except DatabaseAway:
            self._refused.update(refused)
            raise

    async def _load_sources(self) -> None:
        self._looked_at = time.monotonic()
        try:
            self._sources.update(await self._inbox.sources())
        except DatabaseAway:
            self._sources.is_current = False
            raise


async def replay_oldest(spool: Spool, inbox: Inbox) -> bool:
    """Store what waits in the oldest file that no other process holds; say whether more wait.

    Killed in the middle, it begins with the whole file again: ``absorb`` knows a message by its id.

    Raises:
        DatabaseAway: it stays where it is.
    """
    spool.close()
    replayed = 0
    for path in spool.segments():
        if replayed:
            return True
        with held(path) as is_ours:
            if is_ours:
                await _replay(path, inbox)
                replayed += 1
    return False


async def _replay(path: Path, inbox: Inbox) -> None:
    try:
        for rows in read_records(path):
            if refused := await inbox.keep(rows):
                aside = keep_refused(path, [rows[place] for place in refused])
                logger.error("%s rows that the database refuses are in %s", len(refused), aside)
    except Damage as damage:
        aside = put_aside(path)
        logger.exception("%s is damaged at byte %s; what was read is stored", aside, damage.offset)
    else:
        path.unlink()

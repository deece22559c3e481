"""Who may send, and how much: the key, the origin of a browser, and the limits of both."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from engagement.collector.answers import RETRY_AFTER, declined
from engagement.collector.inbox import DatabaseAway
from engagement.collector.limits import Bucket, Limits, neighbourhood
from engagement.collector.sources import KnownSource
from engagement.collector.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Admitted:
    """A source that may send now, and what its messages are taken from."""

    source: KnownSource
    buckets: list[Bucket]

    def charge(self, messages: int) -> None:
        """Count messages, whether they will be stored or refused."""
        for bucket in self.buckets:
            bucket.level -= messages


class Admission:
    """Asks for each request whether it may pass."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep
        self._limits = Limits()

    async def identify(self, key: str, *, origin: str) -> KnownSource:
        """Return the source with a key.

        Raises:
            Declined: the key is missing, unknown or switched off, or its site is another one;
                nobody can tell while the database has not been read.
        """
        if not key:
            raise declined(401, "key_missing", "Neither header nor body names a write key.")
        source = await self._find(key)
        if source is None:
            raise declined(401, "key_unknown", "There is no source with this write key.")
        if not source.is_active:
            text = "The source with this write key is switched off."
            raise declined(403, "key_inactive", text, source=source.name)
        if not source.allows(origin):
            text = "This write key is for other sites."
            raise declined(403, "origin_not_allowed", text, source=source.name)
        return source

    async def admit(self, key: str, *, origin: str, address: str) -> Admitted:
        """Return the source that sends, if it may now, and count one message.

        Raises:
            Declined: as ``identify``, or it sends too much.
        """
        source = await self.identify(key, origin=origin)
        now = time.monotonic()
        buckets = self._buckets(source, address, now)
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait:
            seconds = math.ceil(wait)
            text = f"Too many messages; try again in {seconds} s."
            raise declined(429, "too_many_requests", text, retry_after=seconds, source=source.name)
        admitted = Admitted(source, buckets)
        admitted.charge(1)  # whatever the request turns out to hold
        return admitted

    async def _find(self, key: str) -> KnownSource | None:
        try:
            return await self._upkeep.find(key)
        except DatabaseAway:
            text = "Write keys cannot be looked up now."
            raise declined(503, "unavailable", text, retry_after=RETRY_AFTER) from None

    def _buckets(self, source: KnownSource, address: str, now: float) -> list[Bucket]:
        """Return the buckets that a message is taken from.

        All of a server's messages come from one address, so only its key is limited.
        """
        buckets = [self._limits.bucket(source.name, rate=source.rate_limit, now=now)]
        if source.is_public:
            name = (source.name, neighbourhood(address))
            rate = source.address_rate_limit
            buckets.append(self._limits.bucket(name, rate=rate, now=now))
        return buckets

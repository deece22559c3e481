"""How much one key, and one address, may send. Pure: the time is passed in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

#: Seconds of its rate that somebody who was quiet may send at once; our choice.
BURST = 10.0
#: Buckets that are kept; beyond it those that filled up again are forgotten.
MOST_BUCKETS = 50_000
#: A household or company has all addresses of one such IPv6 network.
_IPV6_NETWORK = 64


@dataclass(slots=True)
class Bucket:
    """Tokens that flow in at ``rate`` a second up to ``BURST`` seconds' worth.

    What is taken may exceed what is there: a batch larger than the bucket passes once the bucket is
    not empty, and its sender waits the longer afterwards.
    """

    rate: float
    level: float
    seen_at: float

    def wait(self, now: float) -> float:
        """Return how many seconds to wait before anything may be taken; 0 for none."""
        self.level = min(self.rate * BURST, self.level + (now - self.seen_at) * self.rate)
        self.seen_at = now
        return max(0.0, (1 - self.level) / self.rate) if self.rate else BURST

    def is_full(self, now: float) -> bool:
        """Tell whether forgetting the bucket changes nothing."""
        return self.level + (now - self.seen_at) * self.rate >= self.rate * BURST


class Limits:
    """A bucket for each name, such as a key or a key with an address."""

    def __init__(self) -> None:
        self._buckets: dict[object, Bucket] = {}

    def bucket(self, name: object, *, rate: float, now: float) -> Bucket:
        """Return the bucket of ``name``, full when it is new; ``now`` is monotonic seconds."""
        bucket = self._buckets.get(name)
        if bucket is None or bucket.rate != rate:
            if len(self._buckets) >= MOST_BUCKETS:
                self._forget(now)
            bucket = self._buckets[name] = Bucket(rate, rate * BURST, now)
        return bucket

    def _forget(self, now: float) -> None:
        """Make room: without the full ones, and without any when none of them is full.

        Threads may share the buckets: what another one adds meanwhile is no part of the list.
        """
        known = list(self._buckets.items())
        kept = {name: each for name, each in known if not each.is_full(now)}
        self._buckets = kept if len(kept) < MOST_BUCKETS else {}


def neighbourhood(address: str) -> str:
    """Return what counts as one sender: an IPv4 address, or the network of an IPv6 address."""
    try:
        if ":" not in address:
            return address
        return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))
    except ValueError:
        return address

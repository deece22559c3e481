"""Spans in whole minutes, a begun one counted: four bytes each, as sums of days keep them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import timedelta


def read_minutes(packed: bytes | None) -> list[int]:
    """Return the minutes of any number of days put together, in order; as ``int4send`` wrote."""
    minutes = array("i", packed or b"")
    minutes.byteswap()
    return sorted(minutes)


def time_within(minutes: Sequence[int], percent: int) -> timedelta | None:
    """Return the least of ``minutes``, which are in order, that so many percent do not exceed."""
    if not minutes:
        return None
    return timedelta(minutes=minutes[-(-percent * len(minutes) // 100) - 1])

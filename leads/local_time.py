"""What time it is where a lead is, as far as the country alone can tell. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

_TABLE = "zone.tab"  # of the time zone database: country code, place, zone, remark


def local_time(country: str, now: datetime) -> datetime | None:
    """Return ``now`` in ``country``; None where that has clocks that differ, or is not known.

    Args:
        country: ISO 3166-1 alpha-2 code, may be empty.
        now: Any aware time.
    """
    there = [now.astimezone(ZoneInfo(zone)) for zone in _zones().get(country, ())]
    return there[0] if len({each.utcoffset() for each in there}) == 1 else None


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, list[str]]:
    zones: dict[str, list[str]] = defaultdict(list)
    for line in _lines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones[country].append(zone.strip())
    return dict(zones)


def _lines() -> Iterable[str]:
    """Return the table as the system has it, else as the wheel ``tzdata`` has it."""
    for folder in TZPATH:
        table = Path(folder) / _TABLE
        if table.is_file():
            return table.read_text(encoding="utf-8").splitlines()
    table_of_wheel = resources.files("tzdata.zoneinfo") / _TABLE
    return table_of_wheel.read_text(encoding="utf-8").splitlines()

"""Naming the lines of a timeline whose points are asked for once the page is shown. Pure.

A line is named by the times of its acts, in microseconds since 1970, so that the page that asks
and the answer that is filled in need nothing else in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_START = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
#: As many acts as a stretch of a timeline can hold and a page can ask for.
_MOST = 200
#: Until the year 2286; more digits are no time of ours.
_NAME = re.compile(r"\d{1,16}(-\d{1,16})*", re.ASCII)


def name_line(moments: Sequence[datetime]) -> str:
    """Return the name of the line of acts at ``moments``."""
    return "-".join(str((moment - _START) // _TICK) for moment in moments)


def read_names(names: Iterable[str]) -> dict[str, list[datetime]]:
    """Return the times that lines are named by; what is no name, or too much, is left out."""
    lines: dict[str, list[datetime]] = {}
    room = _MOST
    for name in names:
        parts = name.split("-") if _NAME.fullmatch(name) else []
        room -= len(parts)
        if parts and room >= 0:
            lines[name] = [_START + int(part) * _TICK for part in parts]
    return lines


def share_out(
    lines: Mapping[str, Sequence[datetime]], earned: Mapping[datetime, Decimal]
) -> dict[str, Decimal]:
    """Return what each line earned; acts of one instant earned together, told by the first line."""
    left = dict(earned)
    sums = {
        name: sum((left.pop(moment, Decimal(0)) for moment in moments), Decimal(0))
        for name, moments in lines.items()
    }
    return {name: points for name, points in sums.items() if points}

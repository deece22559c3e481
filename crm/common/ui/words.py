"""How Baton says times, spans, figures and numbers to dial: ``2 h 50``, ``93.4 %``, ``+14.7``.

Pure functions; ``now`` is given, never read. Spaces are ordinary ones, the style sheet keeps the
figures on one line.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import phonenumbers

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
SMALLEST_SAMPLE = 10  # below it a percentage says more than the data does: counts are shown instead

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

_TO_THE_LEFT = {"R", "AL"}


def isolated(name: str) -> str:
    """Return a name as a part of a sentence: one that runs to the left turns nothing around it."""
    if _TO_THE_LEFT.isdisjoint(map(unicodedata.bidirectional, name)):
        return name
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"


def duration(span: timedelta) -> str:
    """Say a span of wall-clock time: ``40 s``, ``19 min``, ``2 h 50``, ``6 d 4 h``, ``31 d``.

    The sign is dropped: the word beside it (left, over) carries it. Parts are cut, not rounded, so
    that "1 min left" never shows as "2 min left".
    """
    seconds = abs(int(span.total_seconds()))
    if seconds < _DAY:
        return working_time(span)
    days, hours = seconds // _DAY, seconds % _DAY // _HOUR
    return f"{days} d" if days >= 30 or not hours else f"{days} d {hours} h"


def working_time(span: timedelta) -> str:
    """Say a span of working time; never in days, since a working day has no fixed length."""
    seconds = abs(int(span.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
    return f"{hours} h {minutes:02d}" if minutes else f"{hours} h"


def ago(moment: datetime, now: datetime) -> str:
    """Say how long before ``now``: ``8 min``, ``1 h``, then the day as ``day`` says it.

    Both in the reader's time zone. A moment in the future (a clock of another machine) is "now".
    """
    seconds = (now - moment).total_seconds()
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h"
    return day(moment, now)


def day(moment: datetime, now: datetime) -> str:
    """Say the day: ``Today``, ``Mon`` up to six days away, ``12 May``, ``12 May 2025``.

    Both in the reader's time zone.
    """
    distance = abs((now.date() - moment.date()).days)
    if distance == 0:
        return "Today"
    if distance < 7:
        return f"{moment:%a}"
    return (
        f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment.day} {moment:%b %Y}"
    )


def percent(part: float, whole: float) -> str:
    """Say a share as ``93.4 %``; as ``3 of 4`` below ten, as a dash when nothing was counted."""
    if whole == 0:
        return NOTHING
    if whole < SMALLEST_SAMPLE:
        return f"{part:,.0f} of {whole:,.0f}"
    return f"{tenths(100 * Decimal(str(part)) / Decimal(str(whole)))} %"


def to_tenths(number: float | Decimal) -> Decimal:
    """Round half away from zero to one decimal, so that shown lines can be added up by hand."""
    return Decimal(str(number)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def tenths(number: float | Decimal) -> str:
    """Say a number with one decimal and a real minus sign: ``61.2``."""
    return _with_real_minus(f"{to_tenths(number):,.1f}")


def signed(number: float | Decimal) -> str:
    """Say a number with its sign, as it was given: ``+8``, ``+14.7``; ``0`` has none."""
    if number == 0:
        return "0"
    return _with_real_minus(f"{number:+,}")


def signed_tenths(number: float | Decimal) -> str:
    """Say a score line's value: ``+14.7``, and ``+0.0`` for nothing."""
    rounded = to_tenths(number)
    return _with_real_minus(f"{abs(rounded) if rounded == 0 else rounded:+,.1f}")


@lru_cache(maxsize=4096)
def phone(number: str) -> str:
    """Say a phone number in the groups in which it is read; what is none stays as it is."""
    with suppress(phonenumbers.NumberParseException):
        parsed = phonenumbers.parse(number, None)
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return number


def dialled(number: str) -> str:
    """Return the digits of a phone number with its plus sign: what follows ``tel:``."""
    return re.sub(r"[^+\d]", "", number)


def _with_real_minus(text: str) -> str:
    return text.replace("-", MINUS)

"""What a cell, a date and an amount of a file say, and what deals are read into. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from leads.enums import DealOutcome
from leads.importing.mapping import FileMapping, Moment

FIRST_YEAR = 1900
SKIPPED = "Imported: the stages between were not recorded"
#: What deals and numbers of a source may hold, in characters and in digits before the point.
LONGEST_KEY = 200
LONGEST_NAME = 150
_AMOUNT_DIGITS = 12
_CENT = Decimal("0.01")
_WITH_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?", re.ASCII)
#: What ``str.strip`` takes away: the database, whose idea of space is another, is told it.
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
#: Texts that a spreadsheet would run, full-width ones too; no name or number begins like this. The
#: database matches with the same pattern, so that it holds nothing the two read differently.
FORMULA = (
    "^(?:[=\uff1d]"
    f"|[-+@\uff0b\uff0d\uff20][{SPACES}]*[A-Za-z]+[{SPACES}]*[(|!])"
)  # fmt: skip
_FORMULA = re.compile(FORMULA)


class Refused(ValueError):
    """A text cannot be taken; the message says why."""


@dataclass(frozen=True)
class Ending:
    """How and when a deal ended."""

    outcome: DealOutcome
    at: datetime


@dataclass(frozen=True)
class DealRow:
    """What a line says of a deal; without an ending it is still open."""

    external_id: str
    lead_external_id: str
    ending: Ending | None
    value: Decimal | None
    owner: str
    product: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def cell_text(raw: str, column: str, mapping: FileMapping) -> str:
    """Return what the cell ``raw`` of ``column`` says; empty for no answer and for a formula."""
    text = raw.strip()
    text = mapping.values.get(column, {}).get(text, text)
    return "" if text in mapping.placeholders or _FORMULA.match(text) else text


def read_moment(text: str, moment: Moment, *, now: datetime) -> datetime:
    """Return the instant that ``text`` names.

    Raises:
        Refused: when the text does not fit the format, or lies before 1900 or in the future.
    """
    try:
        instant = _instant(text, moment.format, moment.zone)
    except ValueError:
        raise Refused(f"{text[:40]!r} is no date of the form {moment.format}") from None
    if instant.year < FIRST_YEAR:
        raise Refused(f"{text[:40]!r} lies before {FIRST_YEAR}")
    if instant > now:
        raise Refused(f"{text[:40]!r} lies in the future")
    return instant.astimezone(UTC)


@lru_cache(maxsize=10_000)
def _instant(text: str, form: str, zone: str) -> datetime:
    """Return the instant in its zone; files repeat their dates, and reading one is slow."""
    read = datetime.strptime(text, form)  # noqa: DTZ007 -- the zone is added here
    return read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))


def is_date_only(instant: datetime, moment: Moment) -> bool:
    """Say whether the file wrote a mere date as midnight of ``date_zone``."""
    if not moment.date_zone:
        return False
    local = instant.astimezone(ZoneInfo(moment.date_zone))
    return (local.hour, local.minute, local.second) == (0, 0, 0)


def with_point(text: str, decimal: str) -> str:
    """Return the number in ``text`` with a point before its decimals, and nothing in thousands.

    ``decimal`` is the mark that the file has before decimals. Before a comma the thousands may be
    apart by points or spaces: ``1.200,50``. Before a point they may not: 1,200 could be either.

    Raises:
        Refused: when ``decimal`` is a comma and the text is no such number.
    """
    bare = re.sub(r"\s", "", text)
    if decimal == "." or not bare:
        return text
    if not _WITH_COMMA.fullmatch(bare):
        raise Refused(f"{text[:40]!r} is no number such as 1.200,50")
    return bare.replace(".", "").replace(",", ".")


def read_amount(text: str, decimal: str = ".") -> Decimal | None:
    """Return an amount in cents of its currency, rounded half up as the database rounds.

    Raises:
        Refused: when the text is none.
    """
    bare = with_point(text, decimal).replace(" ", "")
    if not bare:
        return None
    try:
        number = Decimal(bare)
    except InvalidOperation:
        number = Decimal("NaN")
    # By its exponent: arithmetic overflows on 1e1000000. Rounded first: .999 may add a digit.
    if number.is_finite() and number.adjusted() < _AMOUNT_DIGITS:
        amount = number.quantize(_CENT, ROUND_HALF_UP)
        if amount.adjusted() < _AMOUNT_DIGITS:
            return amount
    raise Refused(f"{bare[:40]!r} is no amount such as 1234.50")

"""One line read through its mapping: what it says, or what is wrong with it. Pure but for zones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from leads.enums import DealOutcome, LifecycleStage
from leads.importing.mapping import (
    ATTRIBUTE_PREFIX,
    DealMapping,
    FileMapping,
    LeadMapping,
    Moment,
    Move,
)
from leads.lifecycle import TRANSITIONS, cycle_after

FIRST_YEAR = 1900
SKIPPED = "Imported: the stages between were not recorded"
#: What deals and numbers of a source may hold, in characters and in digits before the point.
LONGEST_KEY = 200
LONGEST_NAME = 150
_AMOUNT_DIGITS = 12
_CENT = Decimal("0.01")
#: Texts that a spreadsheet would run, full-width ones too; no name or number begins like this.
_FORMULA_STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(r"[=\uff1d]|[+\-@\uff0b\uff0d\uff20]\s*[A-Za-z]+\s*[(|!]")


class RowRefused(ValueError):
    """The line cannot be taken; the message names the field and says why."""


@dataclass(frozen=True)
class PastStage:
    """A stage entered in the past, as it will stand in the history."""

    stage: LifecycleStage
    cycle: int
    at: datetime
    reason: str = ""
    is_override: bool = False


@dataclass(frozen=True)
class LeadRow:
    """What a line says of a lead; ``values`` holds given fields only, ``attributes`` included."""

    external_id: str
    values: Mapping[str, Any]
    history: Sequence[PastStage]

    @property
    def created_at(self) -> datetime:
        """Return when the lead was captured."""
        return self.history[0].at


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


class Cells:
    """The cells of a line by column, placeholders emptied and spellings replaced."""

    def __init__(self, header: Sequence[str], cells: Sequence[str], mapping: FileMapping) -> None:
        """Join the header and the cells of one line."""
        self._raw = dict(zip(header, cells, strict=True))
        self._mapping = mapping

    def get(self, column: str) -> str:
        """Return the text of ``column``; empty for no answer or no column.

        Raises:
            RowRefused: when it begins like a formula.
        """
        text = self._raw.get(column, "").strip()
        text = self._mapping.values.get(column, {}).get(text, text)
        if not text or text in self._mapping.placeholders:
            return ""
        if text[0] in _FORMULA_STARTS and _FORMULA.match(text):
            raise RowRefused(f"{column}: {text[:40]!r} begins like a formula")
        return text


def read_lead(cells: Cells, mapping: LeadMapping, *, now: datetime) -> LeadRow:
    """Return what the line says.

    Raises:
        RowRefused: for a date that is none, a key that is too long, or a history that the
            transition table forbids.
    """
    values: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    given = {name: cells.get(column) for name, column in mapping.fields.items()}
    for name, text in {**mapping.constants, **given}.items():
        if text and name.startswith(ATTRIBUTE_PREFIX):
            attributes[name.removeprefix(ATTRIBUTE_PREFIX)] = text
        elif text:
            values[name] = text
    if attributes:
        values["attributes"] = attributes
    external_id = _within(cells, mapping.key, LONGEST_KEY)
    if mapping.key and not external_id:
        raise RowRefused(f"{mapping.key}: is empty, so the line cannot be told from others")
    if not mapping.key and not values.get("email"):
        raise RowRefused(f"{mapping.fields['email']}: is empty, so the lead cannot be recognised")
    return LeadRow(external_id, values, _history(cells, mapping, now))


def read_deal(cells: Cells, mapping: DealMapping, *, now: datetime) -> DealRow:
    """Return what the line says.

    Raises:
        RowRefused: for a date or a number that is none, a text that is too long, or a deal that
            ended without a date.
    """
    external_id, lead = _within(cells, mapping.key, LONGEST_KEY), cells.get(mapping.lead)
    for column, text in ((mapping.key, external_id), (mapping.lead, lead)):
        if not text:
            raise RowRefused(f"{column}: is empty")
    return DealRow(
        external_id=external_id,
        lead_external_id=lead,
        ending=_ending(cells, mapping, now),
        value=_amount(cells, mapping.value),
        owner=_within(cells, mapping.owner, LONGEST_NAME),
        product=_within(cells, mapping.product, LONGEST_NAME),
        attributes=_given(cells, mapping.attributes),
    )


def read_moment(cells: Cells, moment: Moment, *, now: datetime) -> datetime | None:
    """Return the instant a cell names, None when it is empty.

    Raises:
        RowRefused: when the text does not fit the format, or lies before 1900 or in the future.
    """
    text = cells.get(moment.column)
    if not text:
        return now if moment.otherwise_import else None
    try:
        instant = _instant(text, moment.format, moment.zone)
    except ValueError:
        raise RowRefused(
            f"{moment.column}: {text[:40]!r} is no date of the form {moment.format}"
        ) from None
    if instant.year < FIRST_YEAR:
        raise RowRefused(f"{moment.column}: {text[:40]!r} lies before {FIRST_YEAR}")
    if instant > now:
        raise RowRefused(f"{moment.column}: {text[:40]!r} lies in the future")
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


def _history(cells: Cells, mapping: LeadMapping, now: datetime) -> list[PastStage]:
    """Return the stages in order, LEAD first."""
    captured = read_moment(cells, mapping.created_at, now=now) if mapping.created_at else now
    if captured is None:
        column = mapping.created_at.column if mapping.created_at else ""
        raise RowRefused(f"{column}: is empty, so it is not known when the lead was captured")
    history = [PastStage(LifecycleStage.LEAD, 1, captured)]
    for move in mapping.history:
        if not move.column or cells.get(move.column) in move.values:
            history.append(_next(history[-1], move, read_moment(cells, move.at, now=now)))
    return history


def _next(last: PastStage, move: Move, at: datetime | None) -> PastStage:
    if at is None:
        raise RowRefused(f"{move.at.column}: is empty, but the lead became {move.stage.label}")
    if at < last.at:
        raise RowRefused(
            f"{move.at.column or move.stage}: {move.stage.label} on {at:%Y-%m-%d %H:%M} would come"
            f" before {last.stage.label} on {last.at:%Y-%m-%d %H:%M}"
        )
    is_lawful = move.stage in TRANSITIONS[last.stage]
    if not is_lawful and not move.implied:
        raise RowRefused(
            f"{move.column or move.stage}: {last.stage.label} to {move.stage.label} is not allowed"
        )
    cycle = cycle_after(last.cycle, last.stage, move.stage)
    return PastStage(move.stage, cycle, at, "" if is_lawful else SKIPPED, not is_lawful)


def _ending(cells: Cells, mapping: DealMapping, now: datetime) -> Ending | None:
    outcome = _outcome(cells, mapping)
    if outcome is None:
        return None
    at = read_moment(cells, mapping.closed_at, now=now)
    if at is None:
        raise RowRefused(f"{mapping.closed_at.column}: is empty, but the deal is {outcome.label}")
    return Ending(outcome, at)


def _outcome(cells: Cells, mapping: DealMapping) -> DealOutcome | None:
    rule = mapping.outcome
    if rule.constant:
        return rule.constant
    word = cells.get(rule.column)
    if word in rule.won:
        return DealOutcome.WON
    return DealOutcome.LOST if word in rule.lost else None


def _within(cells: Cells, column: str, limit: int) -> str:
    text = cells.get(column)
    if len(text) > limit:
        raise RowRefused(f"{column}: is longer than {limit} characters")
    return text


def _amount(cells: Cells, column: str) -> Decimal | None:
    """Return an amount in cents of its currency, rounded half up as the database rounds."""
    text = cells.get(column).replace(" ", "")
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    # By its exponent: arithmetic overflows on 1e1000000. Rounded first: .999 may add a digit.
    if number.is_finite() and number.adjusted() < _AMOUNT_DIGITS:
        amount = number.quantize(_CENT, ROUND_HALF_UP)
        if amount.adjusted() < _AMOUNT_DIGITS:
            return amount
    raise RowRefused(f"{column}: {text[:40]!r} is no amount such as 1234.50")


def _given(cells: Cells, columns: Mapping[str, str]) -> dict[str, str]:
    read = {name: cells.get(column) for name, column in columns.items()}
    return {name: text for name, text in read.items() if text}

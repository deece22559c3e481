"""What one line says, read by itself in Python: the reference for the reading in SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from leads.enums import DealOutcome, LifecycleStage
from leads.importing.mapping import (
    ATTRIBUTE_PREFIX,
    DealMapping,
    FileMapping,
    LeadMapping,
    Moment,
    Move,
)
from leads.importing.rows import (
    LONGEST_KEY,
    LONGEST_NAME,
    DealRow,
    Ending,
    Refused,
    read_amount,
    read_moment,
)
from leads.lifecycle import TRANSITIONS, cycle_after
from leads.models import LeadAttribute
from leads.services.values import LeadInvalid, clean_values

_FORMULA = re.compile(r"[=\uff1d]|[+\-@\uff0b\uff0d\uff20]\s*[A-Za-z]+\s*[(|!]")


@dataclass(frozen=True)
class PastStage:
    """A stage entered in the past; ``is_jump`` where the table has no such move."""

    stage: LifecycleStage
    cycle: int
    at: datetime
    is_jump: bool = False


@dataclass(frozen=True)
class LeadRow:
    """What a line says of a lead; ``values`` holds given fields only, ``attributes`` included."""

    external_id: str
    values: Mapping[str, Any]
    history: Sequence[PastStage]


class Cells:
    """The cells of a line by column, placeholders emptied and spellings replaced."""

    def __init__(self, header: Sequence[str], cells: Sequence[str], mapping: FileMapping) -> None:
        """Join the header and the cells of one line."""
        self._raw = dict(zip(header, cells, strict=True))
        self._mapping = mapping

    def get(self, column: str) -> str:
        """Return the text of ``column``; empty for no answer or no column.

        Raises:
            Refused: when it begins like a formula.
        """
        text = self._raw.get(column, "").strip()
        text = self._mapping.values.get(column, {}).get(text, text)
        if text in self._mapping.placeholders:
            return ""
        if _FORMULA.match(text):
            raise Refused(f"{column}: {text[:40]!r} begins like a formula")
        return text

    def within(self, column: str, limit: int) -> str:
        """Return the text of ``column``; one of more than ``limit`` characters is refused."""
        text = self.get(column)
        if len(text) > limit:
            raise Refused(f"{column}: is longer than {limit} characters")
        return text

    def moment(self, moment: Moment, now: datetime) -> datetime | None:
        """Return the instant a cell names, None when it is empty."""
        text = self.get(moment.column)
        if not text:
            return now if moment.otherwise_import else None
        try:
            return read_moment(text, moment, now=now)
        except Refused as problem:
            raise Refused(f"{moment.column}: {problem}") from None


def read_lead(
    cells: Cells, mapping: LeadMapping, declared: Mapping[str, LeadAttribute], now: datetime
) -> LeadRow:
    """Return what the line says of a lead, its values as they are stored."""
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
    external_id = cells.within(mapping.key, LONGEST_KEY)
    if mapping.key and not external_id:
        raise Refused(f"{mapping.key}: is empty, so the line cannot be told from others")
    if not mapping.key and not values.get("email"):
        raise Refused(f"{mapping.fields['email']}: is empty, so the lead cannot be recognised")
    history = _history(cells, mapping, now)
    try:
        cleaned = clean_values(values, declared=declared)
    except LeadInvalid as error:
        columns = {**mapping.fields}
        columns |= {name.removeprefix(ATTRIBUTE_PREFIX): col for name, col in columns.items()}
        said = [f"{columns.get(name, name)}: {why}" for name, why in error.problems.items()]
        raise Refused("; ".join(said)) from error
    return LeadRow(external_id, cleaned, history)


def _history(cells: Cells, mapping: LeadMapping, now: datetime) -> list[PastStage]:
    captured = cells.moment(mapping.created_at, now) if mapping.created_at else now
    if captured is None:
        column = mapping.created_at.column if mapping.created_at else ""
        raise Refused(f"{column}: is empty, so it is not known when the lead was captured")
    history = [PastStage(LifecycleStage.LEAD, 1, captured)]
    for move in mapping.history:
        if not move.column or cells.get(move.column) in move.values:
            history.append(_next(history[-1], move, cells.moment(move.at, now)))
    return history


def _next(last: PastStage, move: Move, at: datetime | None) -> PastStage:
    if at is None:
        raise Refused(f"{move.at.column}: is empty, but the lead became {move.stage.label}")
    if at < last.at:
        raise Refused(
            f"{move.at.column or move.stage}: {move.stage.label} on {at:%Y-%m-%d %H:%M} would come"
            f" before {last.stage.label} on {last.at:%Y-%m-%d %H:%M}"
        )
    is_jump = move.stage not in TRANSITIONS[last.stage]
    if is_jump and not move.implied:
        raise Refused(
            f"{move.column or move.stage}: {last.stage.label} to {move.stage.label} is not allowed"
        )
    return PastStage(move.stage, cycle_after(last.cycle, last.stage, move.stage), at, is_jump)


def read_deal(cells: Cells, mapping: DealMapping, now: datetime) -> DealRow:
    """Return what the line says of a deal."""
    external_id, lead = cells.within(mapping.key, LONGEST_KEY), cells.get(mapping.lead)
    for column, text in ((mapping.key, external_id), (mapping.lead, lead)):
        if not text:
            raise Refused(f"{column}: is empty")
    return DealRow(
        external_id=external_id,
        lead_external_id=lead,
        ending=_ending(cells, mapping, now),
        value=_amount(cells, mapping),
        owner=cells.within(mapping.owner, LONGEST_NAME),
        product=cells.within(mapping.product, LONGEST_NAME),
        attributes={
            name: text
            for name, text in [(n, cells.get(c)) for n, c in mapping.attributes.items()]
            if text
        },
    )


def _ending(cells: Cells, mapping: DealMapping, now: datetime) -> Ending | None:
    word = cells.get(mapping.outcome.column)
    if word in mapping.outcome.won:
        outcome = DealOutcome.WON
    elif word in mapping.outcome.lost:
        outcome = DealOutcome.LOST
    else:
        return None
    at = cells.moment(mapping.closed_at, now)
    if at is None:
        raise Refused(f"{mapping.closed_at.column}: is empty, but the deal is {outcome.label}")
    return Ending(outcome, at)


def _amount(cells: Cells, mapping: DealMapping) -> Decimal | None:
    text = cells.get(mapping.value)
    try:
        return read_amount(text) if text else None
    except Refused as problem:
        raise Refused(f"{mapping.value}: {problem}") from None

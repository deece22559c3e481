"""Parts of the compliance page: what it is narrowed to, and where the time of its period went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crm.common.ui.spans import ClockSegment
from crm.reports.compliance import TimeSpent, labels_of
from crm.reports.questions import SlaQuestion
from crm.reports.standing import By

_NARROWING = (By.TEAM, By.REP, By.TIER, By.SOURCE, By.VERSION)


@dataclass(frozen=True)
class Chip:
    """One filter: ``url`` takes it away; without a ``value`` it leads to the rows to choose."""

    name: str
    value: str
    url: str


def filter_chips(path: str, question: SlaQuestion) -> Sequence[Chip]:
    """Return the filters of the page, those that are set first."""
    chips = [_chip(path, question, by) for by in _NARROWING]
    return sorted(chips, key=lambda chip: not chip.value)


def _chip(path: str, question: SlaQuestion, by: By) -> Chip:
    key = question.only.get(by)
    if key is None:
        return Chip(by.value, "", f"{path}?{question.query(by=by.value)}#rows")
    return Chip(by.value, labels_of(by, [key])[key], f"{path}?{question.query(**{by.value: ''})}")


def split_segments(split: TimeSpent) -> list[ClockSegment]:
    """Return the accounts of a period one after the other, as the split clock is drawn."""
    segments, at = [], datetime(2000, 1, 1, tzinfo=UTC)
    for kind, span in split.spent.items():
        segments.append(ClockSegment(kind, at, at + span))
        at += span
    return segments

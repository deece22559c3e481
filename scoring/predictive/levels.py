"""Columns and their levels: what is known of a lead, in a few groups of leads each. Pure.

A number falls into a range that holds about a tenth of the sample, a text into itself when enough
leads share it. "No answer" is a level of its own: who says nothing tells something, too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import TypeAlias

Value: TypeAlias = str | float | bool | None

#: Leads that a level needs; rarer texts are folded into one. Our choice.
FEWEST = 30
#: Ranges into which numbers are parted, and texts that keep a level of their own.
_MOST_RANGES = 10
_MOST_TEXTS = 40

#: Keys of levels: no answer, all rare texts; a text has "=" before it, a range "#".
NO_ANSWER = ""
OTHERS = "*"


class ColumnKind(Enum):
    """What the values of a column are."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"


class Origin(Enum):
    """Where a column comes from: typed in by somebody, or counted from the log by its times."""

    ENTERED = "ENTERED"
    COUNTED = "COUNTED"


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that may be known of a lead. ``name`` is ``attributes.`` with the attribute's."""

    name: str
    label: str
    kind: ColumnKind
    origin: Origin = Origin.ENTERED
    is_by_sales: bool = False


@dataclass(frozen=True, slots=True)
class Coding:
    """How the values of a column fall into levels: the key of each level with its words."""

    column: Column
    levels: Mapping[str, str]
    cuts: tuple[float, ...] = ()

    def key(self, value: Value) -> str | None:
        """Return the level of ``value``; None when the sample had none like it."""
        key = key_of(self.column.kind, value, self.cuts)
        if key in self.levels:
            return key
        return OTHERS if key.startswith("=") and OTHERS in self.levels else None


def key_of(kind: ColumnKind, value: Value, cuts: Sequence[float] = ()) -> str:
    """Return the key under which a value would stand, whether or not the sample had it."""
    if value is None or value == "":
        return NO_ANSWER
    if kind is ColumnKind.NUMBER:
        return f"#{bisect_right(cuts, float(value))}"
    return f"={_spelt(kind, value).casefold()}"


def coding_of(column: Column, values: Iterable[Value]) -> Coding:
    """Return how ``values``, those of a sample, fall into levels."""
    told = list(values)
    known = [value for value in told if value is not None and value != ""]
    if column.kind is ColumnKind.NUMBER:
        cuts, levels = _ranges(sorted(float(value) for value in known))
    else:
        fewest = 1 if column.kind is ColumnKind.BOOLEAN else FEWEST
        cuts, levels = (), _texts([_spelt(column.kind, value) for value in known], fewest)
    if len(known) < len(told):
        levels[NO_ANSWER] = "no answer"
    return Coding(column, levels, cuts)


def is_number_of_rows(column: Column, values: Iterable[Value]) -> bool:
    """Say whether a column numbers its leads: whole numbers of which none comes twice."""
    known = [value for value in values if isinstance(value, int | float)]
    return (
        column.kind is ColumnKind.NUMBER
        and len(known) > FEWEST
        and len(set(known)) == len(known)
        and all(float(value).is_integer() for value in known)
    )


def _spelt(kind: ColumnKind, value: Value) -> str:
    if kind is ColumnKind.BOOLEAN:
        return "yes" if value else "no"
    return str(value).strip()


def _texts(known: Sequence[str], fewest: int) -> dict[str, str]:
    """Return the texts that enough leads share, most frequent first, then one level of the rest."""
    spellings: dict[str, Counter[str]] = {}
    for text in known:
        spellings.setdefault(f"={text.casefold()}", Counter())[text] += 1
    often = sorted(
        (key for key, said in spellings.items() if said.total() >= fewest),
        key=lambda key: (-spellings[key].total(), key),
    )[:_MOST_TEXTS]
    levels = {key: spellings[key].most_common(1)[0][0] for key in often}
    if len(levels) < len(spellings):
        levels[OTHERS] = "another answer" if levels else "any answer"
    return levels


def _ranges(known: Sequence[float]) -> tuple[tuple[float, ...], dict[str, str]]:
    """Return where sorted numbers are cut, and the ranges between."""
    if not known:
        return (), {}
    cuts = _cuts(known)
    is_whole = all(number.is_integer() for number in known)
    edges = [known[0], *cuts]
    ends = [*cuts, None]
    return tuple(cuts), {
        f"#{i}": _range_words(low, end, is_first=i == 0, is_whole=is_whole)
        for i, (low, end) in enumerate(zip(edges, ends, strict=True))
    }


def _cuts(known: Sequence[float]) -> list[float]:
    """Return the first number of each range but the lowest; equal numbers stay together."""
    full = max(FEWEST, ceil(len(known) / _MOST_RANGES))
    cuts: list[float] = []
    filled = 0
    for number, count in Counter(known).items():  # in their order, as they come sorted
        if filled >= full:
            cuts.append(number)
            filled = 0
        filled += count
    if cuts and filled < FEWEST:
        cuts.pop()
    return cuts


def _range_words(low: float, end: float | None, *, is_first: bool, is_whole: bool) -> str:
    """Return a range in words: from ``low`` to below ``end``."""
    if end is None:
        return "any number" if is_first else f"{_figure(low)} or more"
    if not is_whole:
        return f"under {_figure(end)}" if is_first else f"{_figure(low)} to under {_figure(end)}"
    if low == end - 1:
        return _figure(low)
    return f"up to {_figure(end - 1)}" if is_first else f"{_figure(low)} to {_figure(end - 1)}"


def _figure(number: float) -> str:
    return f"{int(number):,}" if number.is_integer() else f"{number:,.4g}"

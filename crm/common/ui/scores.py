"""Score lines as shown: rounded first, then added, so that they always add up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from crm.common.ui.words import to_tenths


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One reason of a score.

    Attributes:
        text: The rule as a sentence: ``Case study Kolbe Ventile``.
        value: What it is worth now, in points.
        how: How that came about: ``15, yesterday, half-life 30 d``.
        is_known: False when the fact is missing: grey, counts nothing.
    """

    text: str
    value: float | Decimal
    how: str = ""
    is_known: bool = True

    @property
    def shown(self) -> Decimal:
        """The value in tenths, as printed and as added."""
        return to_tenths(self.value)


def total(lines: Sequence[ScoreLine]) -> Decimal:
    """Add the lines as they are shown."""
    return sum((line.shown for line in lines), Decimal("0.0"))


def shares(lines: Sequence[ScoreLine]) -> list[float]:
    """Lengths of the lines' bars, 0 to 1, the largest line being 1 whatever its sign."""
    largest = max((abs(line.shown) for line in lines), default=Decimal(0))
    return [float(abs(line.shown) / largest) if largest else 0.0 for line in lines]

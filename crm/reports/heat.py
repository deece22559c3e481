"""Hour of arrival: when handoffs come, and which of them are missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm.reports.compliance import Arrivals

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_STEPS = 4
_WORKDAY = (8, 18)  # shown even where nothing came


@dataclass(frozen=True)
class HeatCell:
    """Handoffs of one weekday and hour; ``step`` 0 to 4 is the shade."""

    weekday: int
    hour: int
    received: int
    late: int
    step: int

    @property
    def key(self) -> str:
        """Return what an address asks for these handoffs by."""
        return f"{self.weekday}-{self.hour}"


@dataclass(frozen=True)
class HeatMap:
    """The rows of the map by weekday, over the hours in which anything came."""

    hours: Sequence[int]
    rows: Sequence[tuple[str, Sequence[HeatCell]]]
    most: int


def heat_map(arrivals: Sequence[Arrivals]) -> HeatMap:
    """Return the map of ``arrivals``; a workday is shown even where nothing came."""
    figures = {(each.weekday, each.hour): each for each in arrivals}
    most = max((each.received for each in arrivals), default=0)
    seen = [hour for _, hour in figures]
    hours = range(min([_WORKDAY[0], *seen]), max([_WORKDAY[1], *seen]) + 1)

    def cell(day: int, hour: int) -> HeatCell:
        each = figures.get((day, hour), Arrivals(day, hour, 0, 0))
        step = -(-each.received * _STEPS // most) if most else 0
        return HeatCell(day, hour, each.received, each.late, step)

    rows = [(name, [cell(day, hour) for hour in hours]) for day, name in enumerate(_DAYS, start=1)]
    return HeatMap(hours=list(hours), rows=rows, most=most)

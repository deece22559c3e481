"""Hour of arrival: when handoffs come, and which of them are missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay

from crm.reports.sla import Scope, Standing, clocks

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


def heat_map(scope: Scope, *, now: datetime) -> HeatMap:
    """Return how many handoffs of ``scope`` came at each hour of the week, in the active zone."""
    found = clocks(scope, now=now).values(
        day=ExtractIsoWeekDay("started_at"), hour=ExtractHour("started_at")
    )
    counted = found.annotate(
        received=Count("pk"), late=Count("pk", filter=Q(standing=Standing.LATE.value))
    )
    figures = {(each["day"], each["hour"]): each for each in counted.order_by()}
    most = max((each["received"] for each in figures.values()), default=0)
    seen = [hour for _, hour in figures]
    hours = range(min([_WORKDAY[0], *seen]), max([_WORKDAY[1], *seen]) + 1)

    def cell(day: int, hour: int) -> HeatCell:
        each = figures.get((day, hour), {"received": 0, "late": 0})
        step = -(-each["received"] * _STEPS // most) if most else 0
        return HeatCell(day, hour, each["received"], each["late"], step)

    rows = [(name, [cell(day, hour) for hour in hours]) for day, name in enumerate(_DAYS, start=1)]
    return HeatMap(hours=list(hours), rows=rows, most=most)

"""What became of the handoffs of a period, out of the sums of its days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from crm.reports.days import Sql, fetched
from crm.reports.outcomes import Outcome
from crm.reports.standing import Scope
from crm.reports.sums import Slot, sums


class Tally:
    """What the handoffs of a period came to, each counted by its one clock of a kind."""

    def __init__(self, scope: Scope, slots: Collection[Slot], *, now: datetime) -> None:
        """Read the sums of ``slots``; for outcomes the clock is that of the verdict."""
        tables = sums(scope, slots, now=now)
        asked = " SELECT day, by, key, received, on_time, late FROM part"
        self._sums = fetched(Sql(tables.text + asked, tables.params))

    @property
    def by_day(self) -> Mapping[date, int]:
        """Return how many came on each day."""
        return {each["day"]: each["received"] for each in self._of(Slot.ALL)}

    @property
    def answers_by_day(self) -> Mapping[date, tuple[int, int]]:
        """Return how many of each day were in time, and how many were not."""
        return {each["day"]: (each["on_time"], each["late"]) for each in self._of(Slot.ALL)}

    @property
    def kept(self) -> int:
        """Return how many were in time."""
        return sum(each["on_time"] for each in self._of(Slot.ALL))

    @property
    def late(self) -> int:
        """Return how many were not, and are not excused."""
        return sum(each["late"] for each in self._of(Slot.ALL))

    @property
    def attempts(self) -> Mapping[int, int]:
        """Return how many were given up after so many attempts."""
        found: dict[int, int] = defaultdict(int)
        for each in self._of(Slot.ATTEMPTS):
            found[int(each["key"])] += each["received"]
        return found

    def came_to(self, outcome: Outcome) -> int:
        """Return how many had ``outcome``."""
        return sum(each["received"] for each in self._of(Slot.OUTCOME) if each["key"] == outcome)

    def _of(self, slot: Slot) -> list[Mapping[str, Any]]:
        return [each for each in self._sums if each["by"] == slot]

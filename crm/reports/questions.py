"""What an address asks of a report, checked against what the report can answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from crm.reports.funnel import Cohort, Split, Unit
from crm.reports.period import Period, PeriodInvalid, period_from
from crm.reports.sla import By, Scope, Standing
from crm.reports.slices import BASES
from handoff.enums import ClockKind


class QuestionInvalid(Exception):
    """A parameter names something the report does not know; the message says what it knows."""


@dataclass(frozen=True)
class FunnelQuestion:
    """Which funnel to draw."""

    period: Period
    basis: str
    unit: Unit
    split: Split

    @property
    def cohort(self) -> Cohort:
        """Return who is counted."""
        return Cohort(self.basis, self.period.start, self.period.end, self.unit)

    def query(self, **changes: str) -> str:
        """Return the parameters of this question with ``changes``."""
        return urlencode({**self.period.parameters, **self.kept, **changes})

    @property
    def kept(self) -> dict[str, str]:
        """Return the parameters that another period leaves as they are."""
        return {"basis": self.basis, "unit": self.unit.value, "split": self.split.value}

    def over(self, period: str) -> str:
        """Return the parameters of this question over a named period."""
        return urlencode({"period": period, **self.kept})


@dataclass(frozen=True)
class SlaQuestion:
    """Which clocks to count."""

    period: Period
    kind: ClockKind
    by: By
    team: int | None = None
    rep: int | None = None
    tier: str = ""
    source: str = ""
    standing: Standing | None = None

    @property
    def scope(self) -> Scope:
        """Return what is counted."""
        return self._scope(self.period)

    @property
    def scope_before(self) -> Scope:
        """Return the same over the period before."""
        return self._scope(self.period.before())

    def _scope(self, period: Period) -> Scope:
        return Scope(
            self.kind, period.start, period.end, self.team, self.rep, self.tier, self.source
        )

    @property
    def kept(self) -> dict[str, str]:
        """Return the parameters that another period leaves as they are."""
        own = {
            "kind": self.kind, "by": self.by, "team": self.team, "rep": self.rep,
            "tier": self.tier, "source": self.source, "standing": self.standing,
        }  # fmt: skip
        return {key: str(value) for key, value in own.items() if value not in (None, "")}

    def query(self, **changes: object) -> str:
        """Return the parameters of this question with ``changes``; empty ones are left out."""
        asked = {**self.period.parameters, **self.kept, **changes}
        return urlencode({key: value for key, value in asked.items() if value not in (None, "")})

    def over(self, period: str) -> str:
        """Return the parameters of this question over a named period."""
        return urlencode({"period": period, **self.kept})


def funnel_question(query: Mapping[str, str], *, now: datetime) -> FunnelQuestion:
    """Return what the address asks.

    Raises:
        QuestionInvalid: for a parameter the funnel does not know.
    """
    return FunnelQuestion(
        period=_period(query, now=now, default="quarter"),
        basis=_one_of(query, "basis", BASES, "MQL"),
        unit=Unit(_one_of(query, "unit", [unit.value for unit in Unit], Unit.PEOPLE)),
        split=Split(_one_of(query, "split", [split.value for split in Split], Split.SOURCE)),
    )


def sla_question(query: Mapping[str, str], *, now: datetime) -> SlaQuestion:
    """Return what the address asks.

    Raises:
        QuestionInvalid: for a parameter the compliance page does not know.
    """
    standings = ["", *(standing.value for standing in Standing)]
    standing = _one_of(query, "standing", standings, "")
    return SlaQuestion(
        period=_period(query, now=now, default="month"),
        kind=ClockKind(_one_of(query, "kind", ClockKind.values, ClockKind.FIRST_TOUCH)),
        by=By(_one_of(query, "by", [by.value for by in By], By.REP)),
        team=_number(query, "team"),
        rep=_number(query, "rep"),
        tier=_text(query, "tier"),
        source=_text(query, "source"),
        standing=Standing(standing) if standing else None,
    )


def _period(query: Mapping[str, str], *, now: datetime, default: str) -> Period:
    try:
        return period_from(query, now=now, default=default)
    except PeriodInvalid as error:
        raise QuestionInvalid(str(error)) from error


def _one_of(query: Mapping[str, str], name: str, allowed: Iterable[str], default: str) -> str:
    value = query.get(name) or default
    known = list(allowed)
    if value not in known:
        offered = ", ".join(each for each in known if each)
        raise QuestionInvalid(f"{name} can be {offered}.")
    return value


def _number(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name, "")
    if value and not (value.isascii() and value.isdigit() and len(value) <= 12):
        raise QuestionInvalid(f"{name} needs a number.")
    return int(value) if value else None


def _text(query: Mapping[str, str], name: str) -> str:
    value = query.get(name, "")
    if len(value) > 200 or "\x00" in value:
        raise QuestionInvalid(f"{name} is longer than any.")
    return value

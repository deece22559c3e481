"""What an address asks of a report, checked against what the report can answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlencode

from django.urls import reverse

from crm.accounts.models import User
from crm.common.period import Period, PeriodInvalid, period_from
from crm.reports.cohorts import BASES, Cohort, Split, Unit
from crm.reports.live import Live
from crm.reports.outcomes import Outcome
from crm.reports.standing import NOBODY, By, Sample, Scope, Standing
from handoff.enums import ClockKind

LONGEST_KEY = 200
LONGEST_NUMBER = 12
_WEEKDAYS = frozenset("1234567")
_HOURS = frozenset(str(hour) for hour in range(24))
E = TypeVar("E", bound=StrEnum)


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
    def is_flow(self) -> bool:
        """Say whether moves are counted, whoever made them."""
        return self.cohort.is_flow

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
    """Which clocks to count; ``is_own`` when a rep asks for those they answer for."""

    period: Period
    kind: ClockKind
    by: By
    only: Mapping[By, str]
    standing: Standing | Sample | None
    outcome: Outcome | None = None
    arrived: tuple[int, int] | None = None
    live: Live | None = None
    is_own: bool = False

    @cached_property
    def list_url(self) -> str:
        """Return the page that lists what a figure counts, without parameters."""
        return reverse("reports:own_handoffs" if self.is_own else "reports:sla_handoffs")

    @property
    def scope(self) -> Scope:
        """Return what is counted."""
        return Scope(
            self.kind, self.period.start, self.period.end, self.only, self.outcome, self.arrived
        )

    @property
    def kept(self) -> dict[str, str]:
        """Return the parameters that another period leaves as they are."""
        own = {"kind": self.kind.value, "by": self.by.value}
        only = {} if self.is_own else self.only  # an address is not asked who "I" am
        own |= {by.value: value for by, value in only.items()}
        named = {"standing": self.standing, "outcome": self.outcome, "live": self.live}
        own |= {name: value.value for name, value in named.items() if value}
        return own | ({"arrived": "{}-{}".format(*self.arrived)} if self.arrived else {})

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of an address that ask this question."""
        return {**self.period.parameters, **self.kept}

    def query(self, **changes: object) -> str:
        """Return the parameters of this question with ``changes``; empty ones are left out."""
        asked = {**self.parameters, **changes}
        return urlencode({key: value for key, value in asked.items() if value not in (None, "")})

    @property
    def whole_query(self) -> str:
        """Return the parameters of the page that a list of its handoffs was opened from."""
        return self.query(standing="", outcome="", live="", arrived="")

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
    return SlaQuestion(
        period=_period(query, now=now, default="month"),
        kind=ClockKind(_one_of(query, "kind", ClockKind.values, ClockKind.FIRST_TOUCH)),
        by=By(_one_of(query, "by", [by.value for by in By], By.REP)),
        only={by: _key(query, by) for by in By if query.get(by.value)},
        standing=_standing(query),
        outcome=_member(query, "outcome", Outcome),
        arrived=_arrived(query.get("arrived", "")),
        live=_member(query, "live", Live),
    )


def own_question(query: Mapping[str, str], rep: User, *, now: datetime) -> SlaQuestion:
    """Return what the address asks, of what ``rep`` answers for whatever it names.

    Raises:
        QuestionInvalid: for a parameter the compliance page does not know.
    """
    asked = sla_question(query, now=now)
    return replace(asked, only={By.REP: str(rep.pk)}, is_own=True)


def _standing(query: Mapping[str, str]) -> Standing | Sample | None:
    kinds = (*Standing, *Sample)
    value = _one_of(query, "standing", ["", *(each.value for each in kinds)], "")
    return next((each for each in kinds if each.value == value), None)


def _member(query: Mapping[str, str], name: str, kind: type[E]) -> E | None:
    value = _one_of(query, name, ["", *(each.value for each in kind)], "")
    return kind(value) if value else None


def _arrived(text: str) -> tuple[int, int] | None:
    """Return weekday and hour of ``2-14``: Tuesdays from 14:00 to 15:00."""
    if not text:
        return None
    weekday, _, hour = text.partition("-")
    if weekday not in _WEEKDAYS or hour not in _HOURS:
        raise QuestionInvalid("arrived is a weekday and an hour, such as 2-14.")
    return int(weekday), int(hour)


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


def _key(query: Mapping[str, str], by: By) -> str:
    """Return the key of one row of a split, as ``sla.Scope.only`` wants it."""
    value = query[by.value]
    if by is By.WEEK:
        raise QuestionInvalid("week is asked for with from and to.")
    is_number = value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER
    if by in (By.REP, By.TEAM, By.VERSION) and value != NOBODY:
        if not is_number:
            raise QuestionInvalid(f"{by.value} needs a number.")
        return str(int(value))  # as the sums of its days are kept
    if len(value) > LONGEST_KEY or "\x00" in value:
        raise QuestionInvalid(f"{by.value} is longer than any.")
    return value

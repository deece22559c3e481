"""Cases to learn from: leads, each at the moment at which its outcome is to be predicted.

That moment is the first MQL of a cycle or, where no history of MQLs is kept, the capture of the
lead. Only cases whose time has come count: of ten that reach the target, one takes longer than the
time they were given. Counting younger ones would take "not yet" for "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from leads.enums import AttributeType
from leads.models import Lead, LeadAttribute
from scoring.outcomes import MqlCycle, read_cycles

#: A sample holds the latest cases, so many at most: weights do not get better by more.
MOST_CASES = 30_000
#: Of those that reach the target, so many have reached it when a case counts.
_IN_TIME = 0.9

_STEPS = {"sql": "SQL", "won": "Won"}
#: What people call winning a lead; an attribute of that name comes first.
_CONVERTED = "converted"


class UnknownTarget(ValueError):
    """Nothing of this name can be predicted; the message says what can."""


class Moment(Enum):
    """When what is known of a lead is looked at."""

    MQL = "when they became MQL"
    CAPTURE = "when they were captured"


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be predicted: a step of the lifecycle, or a yes in an attribute."""

    name: str
    label: str
    is_attribute: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One lead at one moment, and whether it then reached the target.

    ``known_at`` is up to when what had been received counts as known at that moment.
    """

    lead_id: int
    at: datetime
    known_at: datetime
    is_reached: bool


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases that may be learned from, the latest first; ``patience`` is the time they had."""

    moment: Moment
    patience: timedelta
    cases: Sequence[Case]


def targets() -> list[Target]:
    """Return everything that can be predicted here."""
    attributes = LeadAttribute.objects.filter(type=AttributeType.BOOLEAN).order_by("label", "id")
    return [
        *(Target(name, label) for name, label in _STEPS.items()),
        *(Target(each.name, each.label, True) for each in attributes if each.name not in _STEPS),
    ]


def target_named(name: str) -> Target:
    """Return the target called ``name``; ``converted`` is ``won`` where no attribute is called so.

    Raises:
        UnknownTarget: naming what there is.
    """
    known = {target.name: target for target in targets()}
    asked = name.strip().lower().removeprefix("attributes.")
    found = known.get(asked) or (known["won"] if asked == _CONVERTED else None)
    if found:
        return found
    attribute = LeadAttribute.objects.filter(name=asked).first()
    fault = (
        f"The attribute {asked!r} is {AttributeType(attribute.type).label.lower()}"
        if attribute
        else f"There is no target {name.strip()[:60]!r}"
    )
    raise UnknownTarget(f"{fault}; what can be predicted: {', '.join(known)}.")


def read_cases(target: Target, *, now: datetime) -> Cases:
    """Return the cases of a target up to ``now``."""
    if target.is_attribute:
        return _answered(target, now)
    cycles = read_cycles(now=now)
    direct = [cycle for cycle in cycles if not cycle.is_skipped]
    return _of_cycles(target, direct, now) if direct else _of_captures(target, cycles, now)


def _answered(target: Target, now: datetime) -> Cases:
    """The leads of which the attribute is known, as they were captured."""
    leads = Lead.objects.standing().filter(attributes__has_key=target.name, created_at__lte=now)
    rows = leads.order_by("-created_at", "-id").values_list(
        "id", "created_at", "imported_at", f"attributes__{target.name}"
    )[:MOST_CASES]
    cases = [Case(pk, at, now if imported else at, bool(said)) for pk, at, imported, said in rows]
    return Cases(Moment.CAPTURE, timedelta(0), cases)


def _of_cycles(target: Target, cycles: Iterable[MqlCycle], now: datetime) -> Cases:
    """The latest cycle of each lead that had its time: nobody stands on both sides of a fold."""
    known = list(cycles)
    patience = _patience((end - cycle.mql_at for cycle, end in _ends(target, known)))
    latest = {cycle.lead_id: cycle for cycle in known if cycle.mql_at + patience <= now}
    cases = [
        Case(each.lead_id, each.mql_at, each.known_at, _end(target, each) is not None)
        for each in sorted(
            latest.values(), key=lambda each: (each.mql_at, each.lead_id), reverse=True
        )
    ]
    return Cases(Moment.MQL, patience, cases[:MOST_CASES])


def _of_captures(target: Target, cycles: Iterable[MqlCycle], now: datetime) -> Cases:
    """All leads as they were captured, where nobody was an MQL before sales had them."""
    reached: dict[int, datetime] = {}
    for cycle, end in _ends(target, cycles):
        reached.setdefault(cycle.lead_id, end)
    captured = dict(Lead.objects.filter(pk__in=reached).values_list("pk", "created_at"))
    patience = _patience(reached[pk] - at for pk, at in captured.items())
    leads = (
        Lead.objects.standing()
        .filter(created_at__lte=now - patience)
        .order_by("-created_at", "-id")
    )
    rows = leads.values_list("id", "created_at", "imported_at")[:MOST_CASES]
    cases = [Case(pk, at, now if imported else at, pk in reached) for pk, at, imported in rows]
    return Cases(Moment.CAPTURE, patience, cases)


def _ends(target: Target, cycles: Iterable[MqlCycle]) -> Iterator[tuple[MqlCycle, datetime]]:
    """Yield the cycles that reached the target, and when."""
    for cycle in cycles:
        if end := _end(target, cycle):
            yield cycle, end


def _end(target: Target, cycle: MqlCycle) -> datetime | None:
    return cycle.sql_at if target.name == "sql" else cycle.won_at


def _patience(spans: Iterable[timedelta]) -> timedelta:
    """Return how long nine of ten took that reached the target."""
    taken = sorted(spans)
    return taken[int(_IN_TIME * (len(taken) - 1))] if taken else timedelta(0)

"""Who a funnel counts: the steps, the cohorts, the flow, and what is asked of each lead or cycle.

A cohort is every lead (or every cycle of a lead) that entered a stage for the first time in a
period, wherever it stands today. A step counts who reached it or anything beyond it; who got beyond
it without a recorded stay is also counted as skipped. The flow counts the same at each step, but
who came there in the period, whenever they began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from crm.reports.days import Sql
from leads.enums import LifecycleStage

S = LifecycleStage

#: Each step with every stage that proves it was reached; a lost deal was an SQL before.
REACHED: Mapping[str, tuple[str, ...]] = {
    "LEAD": (S.LEAD, S.MQL, S.SAL, S.SQL, S.WON, S.LOST, S.RECYCLED, S.DISQUALIFIED),
    "MQL": (S.MQL, S.SAL, S.SQL, S.WON, S.LOST),
    "SAL": (S.SAL, S.SQL, S.WON, S.LOST),
    "SQL": (S.SQL, S.WON, S.LOST),
    "WON": (S.WON,),
}
STEPS = tuple(REACHED)
EXITS = ("RECYCLED", "DISQUALIFIED", "LOST")
#: The stages that a cohort can begin with.
COHORTS = ("LEAD", "MQL")
#: What stands in the place of a first stage where moves are counted.
FLOW = "FLOW"
BASES = (*COHORTS, FLOW)
#: By which entries somebody comes to a step. Nobody is captured by moving on: a second cycle begins
#: as an MQL.
COMES_BY: Mapping[str, tuple[str, ...]] = {**REACHED, "LEAD": ("LEAD",)}

#: How far along the steps each stage proves that somebody came.
_FURTHEST = {stage: sum(stage in proofs for proofs in REACHED.values()) for stage in S.values}


class Unit(StrEnum):
    """What one count stands for."""

    PEOPLE = "people"
    CYCLES = "cycles"


class Split(StrEnum):
    """What the rows of the table below the funnel are."""

    SOURCE = "source"
    CAMPAIGN = "campaign"
    PERSONA = "persona"
    REP = "rep"
    NURTURE = "nurture"
    MONTH = "month"


@dataclass(frozen=True)
class Cohort:
    """Who is counted: first entry into ``basis`` from ``start`` (included) to ``end`` (not).

    With ``FLOW`` it is the first entry into each step.
    """

    basis: str
    start: datetime
    end: datetime
    unit: Unit = Unit.PEOPLE

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the steps from the basis on."""
        return STEPS if self.is_flow else STEPS[STEPS.index(self.basis) :]

    @property
    def is_flow(self) -> bool:
        """Say whether moves are counted, whoever made them."""
        return self.basis == FLOW


_CYCLES = {
    Unit.PEOPLE: "NULL::int",
    Unit.CYCLES: "(CASE own.stage WHEN 'RECYCLED' THEN own.cycle - 1 ELSE own.cycle END)::int",
}
_BEGAN = "min(own.started_at) FILTER (WHERE own.stage = %(basis)s)"
_EVERY = ", ".join(f"'{stage}'" for stage in S.values)


def units(basis: str, unit: Unit, runs: Sequence[tuple[datetime, datetime]]) -> Sql:
    """Return the select of the leads or cycles that began within ``runs``, spans in their order.

    Its columns are ``lead_id``, ``cycle``, ``began_at``, ``furthest``, ``<step>_at`` and
    ``is_<exit>``, ``is_overridden``, ``is_in_progress``. Whoever entered the basis
    within a span is read whole; who had entered it before is not of the cohort. For the flow it
    selects all who moved within a span, and besides ``to_<step>_at``, ``<exit>_at`` and
    ``overridden_at``, when they came there first.
    """
    edges: dict[str, Any] = {"basis": basis}
    for place, (start, end) in enumerate(runs):
        edges |= {f"start_{place}": start, f"end_{place}": end}
    is_flow = basis == FLOW
    # Every stage is named for the index, which begins with it.
    entered = f"entry.stage IN ({_EVERY})" if is_flow else "entry.stage = %(basis)s"
    asked = [*_per_unit(), *(_moments() if is_flow else ())]
    text = f"""
        SELECT own.lead_id, {_CYCLES[unit]} AS cycle, {_BEGAN} AS began_at, {", ".join(asked)}
        FROM leads_stageinterval own
        WHERE own.lead_id IN (
          SELECT entry.lead_id FROM leads_stageinterval entry
          WHERE {entered} AND ({_within("entry.started_at", len(runs))}))
        GROUP BY 1, 2"""  # noqa: S608 -- names from this module only
    if not is_flow:
        text += f" HAVING {_within(_BEGAN, len(runs))}"
    return Sql(text, edges)


def _within(moment: str, runs: int) -> str:
    """Return the condition that ``moment`` lies in one of so many spans."""
    spans = (
        f"{moment} >= %(start_{place})s AND {moment} < %(end_{place})s" for place in range(runs)
    )
    return " OR ".join(f"({span})" for span in spans)


def _per_unit() -> Iterator[str]:
    """Yield what one lead or cycle is asked: when it entered each step, and how far it came."""
    far = " ".join(f"WHEN '{stage}' THEN {steps}" for stage, steps in _FURTHEST.items())
    yield f"max(CASE own.stage {far} END) AS furthest"
    yield "bool_or(own.is_override) AS is_overridden"
    yield "bool_or(own.stage = 'SAL' AND own.ended_at IS NULL) AS is_in_progress"
    yield from (f"{_first((step,))} AS {step.lower()}_at" for step in STEPS)
    yield from (f"bool_or(own.stage = '{out}') AS is_{out.lower()}" for out in EXITS)


def _moments() -> Iterator[str]:
    """Yield when one lead or cycle came to each step, by whatever entry, and to each exit."""
    yield from (f"{_first(proofs)} AS to_{step.lower()}_at" for step, proofs in COMES_BY.items())
    yield from (f"{_first((out,))} AS {out.lower()}_at" for out in EXITS)
    yield "min(own.started_at) FILTER (WHERE own.is_override) AS overridden_at"


def _first(stages: Sequence[str]) -> str:
    """Return the moment of the first entry into one of ``stages``."""
    named = ", ".join(f"'{stage}'" for stage in stages)
    return f"min(own.started_at) FILTER (WHERE own.stage IN ({named}))"

"""The funnel counted the plain way: every lead, every cycle, every figure, one after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from crm.reports.cohorts import COMES_BY, EXITS, REACHED, Cohort, Split, Unit
from crm.reports.counted_leads import OPEN, OVERRIDDEN, SKIPPED
from handoff.models import Handoff
from leads.models import Lead, StageInterval

#: How often a figure is counted, by its name.
Told = Mapping[str, int]


def plain_funnel(cohort: Cohort, split: Split) -> Mapping[str | None, Told]:
    """Return the figures that are not zero, of each part and, as None, of the whole."""
    told: dict[str | None, Counter[str]] = {}
    for lead in Lead.objects.standing():
        for cycle, stages in _units(lead, cohort.unit):
            figures = list(_figures(cohort, stages))
            for key in (None, _key(split, lead, cycle, cohort.unit)) if figures else ():
                told.setdefault(key, Counter()).update(figures)
    return told


def _units(lead: Lead, unit: Unit) -> Iterator[tuple[int, Sequence[StageInterval]]]:
    stages = list(lead.stage_intervals.order_by("started_at", "sequence"))
    if unit is Unit.PEOPLE:
        yield 0, stages
        return
    cycles = [each.cycle - (each.stage == "RECYCLED") for each in stages]
    for cycle in sorted(set(cycles)):
        yield cycle, [each for each, own in zip(stages, cycles, strict=True) if own == cycle]


def _figures(cohort: Cohort, stages: Sequence[StageInterval]) -> Iterator[str]:
    """Yield each figure that counts whoever went this way."""
    been = {each.stage for each in stages}
    is_in = _in_flow if cohort.is_flow else _in_cohort
    for step in cohort.steps:
        proofs = (COMES_BY if cohort.is_flow else REACHED)[step]
        if is_in(cohort, stages, [each for each in stages if each.stage in proofs]):
            yield step
            if step not in been:
                yield f"{SKIPPED}{step}"
    for name in EXITS:
        if is_in(cohort, stages, [each for each in stages if each.stage == name]):
            yield name
    if is_in(cohort, stages, [each for each in stages if each.is_override]):
        yield OVERRIDDEN
    waiting = [each for each in stages if each.stage == "SAL" and each.ended_at is None]
    if not cohort.is_flow and is_in(cohort, stages, waiting):
        yield OPEN


def _in_flow(cohort: Cohort, _: Sequence[StageInterval], proofs: Sequence[StageInterval]) -> bool:
    return bool(proofs) and _is_within(cohort, proofs[0].started_at)


def _in_cohort(
    cohort: Cohort, stages: Sequence[StageInterval], proofs: Sequence[StageInterval]
) -> bool:
    begun = [each.started_at for each in stages if each.stage == cohort.basis]
    return bool(proofs) and bool(begun) and _is_within(cohort, begun[0])


def _is_within(cohort: Cohort, at: datetime) -> bool:
    return cohort.start <= at < cohort.end


def _key(split: Split, lead: Lead, cycle: int, unit: Unit) -> str:
    if split is Split.PERSONA:
        return lead.score.persona if hasattr(lead, "score") else ""
    if split is Split.REP:
        handoffs = Handoff.objects.filter(lead=lead).order_by("id")
        own = [each for each in handoffs if unit is Unit.PEOPLE or each.cycle == cycle]
        return str(own[-1].holder_id or "") if own else ""
    if split is Split.NURTURE:
        recycled = lead.stage_intervals.filter(stage="RECYCLED")
        own_cycles = [each.cycle for each in recycled]
        was = bool(own_cycles) if unit is Unit.PEOPLE else cycle in own_cycles
        return "nurtured" if was else "direct"
    return str(getattr(lead, split.value))

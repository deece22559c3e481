"""The leads, or the cycles of leads, that one figure of the funnel counts."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.fields import IntegerField

from crm.reports.cohorts import COMES_BY, REACHED, Cohort, S, Split, Unit
from crm.reports.funnel_sums import NURTURED
from handoff.models import Handoff
from leads.models import StageInterval

#: Accepted, no verdict yet.
OPEN = "OPEN"
OVERRIDDEN = "OVERRIDDEN"
#: Before a step: who got beyond it without a recorded stay.
SKIPPED = "NO_"
# Entering RECYCLED opens the next cycle and is the exit of the one before.
_COUNTED_IN = Case(
    When(stage=S.RECYCLED, then=F("cycle") - 1), default=F("cycle"), output_field=IntegerField()
)


def reached_q(cohort: Cohort, step: str) -> Q:
    """Return the filter over Lead for the people one figure of the funnel counts.

    ``step`` is a step, an exit, ``OVERRIDDEN``, ``OPEN``, or a step with ``SKIPPED`` before it.
    """
    if cohort.unit is Unit.CYCLES:
        return Q(Exists(cycles(cohort, step).filter(lead=OuterRef("pk"))))
    own = StageInterval.objects.filter(lead=OuterRef("pk"))
    first = own.filter(_first_q(cohort, step))
    entered = first.filter(started_at__gte=cohort.start, started_at__lt=cohort.end)
    found = Q(Exists(entered)) & ~Q(Exists(first.filter(started_at__lt=cohort.start)))
    return found & _came_q(cohort, step, own)


def cycles(cohort: Cohort, step: str) -> QuerySet[StageInterval]:
    """Return the entries by which the cycles that one figure counts began, or came to ``step``.

    Each has ``counted_in``, the number of its cycle. Those of merged leads are left out.
    """
    same = StageInterval.objects.alias(own_cycle=_COUNTED_IN).filter(
        lead=OuterRef("lead"), own_cycle=OuterRef("counted_in")
    )
    first = _first_q(cohort, step)
    entries = StageInterval.objects.annotate(counted_in=_COUNTED_IN).filter(
        first,
        started_at__gte=cohort.start,
        started_at__lt=cohort.end,
        lead__merged_into__isnull=True,
    )
    # One that a correction moved back comes twice to a stage: the later entry counts nowhere.
    earlier = same.filter(first, sequence__lt=OuterRef("sequence"))
    return entries.filter(~Exists(earlier)).filter(_came_q(cohort, step, same))


def part_q(split: Split, key: str) -> Q:
    """Return the filter over Lead for one part; not for months, which are cohorts of their own."""
    return _part_q(split, key, lead="pk", of_cycle=False)


def part_of_cycles_q(split: Split, key: str) -> Q:
    """Return the filter over ``cycles`` for one part."""
    return _part_q(split, key, lead="lead", of_cycle=True)


def _part_q(split: Split, key: str, *, lead: str, of_cycle: bool) -> Q:
    if split is Split.REP:
        return _held_q(key, lead, of_cycle=of_cycle)
    if split is Split.NURTURE:
        recycled = StageInterval.objects.filter(lead=OuterRef(lead), stage=S.RECYCLED)
        was = Q(Exists(recycled.filter(cycle=OuterRef("counted_in")) if of_cycle else recycled))
        return was if key == NURTURED else ~was
    to = "lead__" if of_cycle else ""
    if split is not Split.PERSONA:
        return Q(**{f"{to}{split.value}": key})
    none = Q(**{f"{to}score__isnull": True}) | Q(**{f"{to}score__persona": ""})
    return Q(**{f"{to}score__persona": key}) if key else none


def _held_q(key: str, lead: str, *, of_cycle: bool) -> Q:
    """Return the filter for whose last handoff ``key`` held; without a key, for whose nobody did.

    Of a cycle it is its own last handoff.
    """
    handoffs = Handoff.objects.filter(lead=OuterRef(lead))
    later = Handoff.objects.filter(lead=OuterRef("lead"), id__gt=OuterRef("id"))
    if of_cycle:
        handoffs = handoffs.filter(cycle=OuterRef("counted_in"))
        later = later.filter(cycle=OuterRef("cycle"))
    held = handoffs.filter(holder=int(key)) if key else handoffs.filter(holder__isnull=False)
    found = Q(Exists(held.filter(~Exists(later))))
    return found if key else ~found


def _first_q(cohort: Cohort, step: str) -> Q:
    """Return by which entries somebody comes to be counted, of which the first says when."""
    return _proof_q(step, COMES_BY) if cohort.is_flow else Q(stage=cohort.basis)


def _came_q(cohort: Cohort, step: str, own: QuerySet[StageInterval]) -> Q:
    """Return what else is asked of one whose stages are ``own``."""
    passed = Q()
    if step.startswith(SKIPPED):
        passed = ~Q(Exists(own.filter(stage=step.removeprefix(SKIPPED))))
    if cohort.is_flow or step == cohort.basis:
        return passed
    return Q(Exists(own.filter(_proof_q(step, REACHED)))) & passed


def _proof_q(step: str, proofs: Mapping[str, tuple[str, ...]]) -> Q:
    """Return which intervals prove ``step``."""
    if step == OVERRIDDEN:
        return Q(is_override=True)
    if step == OPEN:
        return Q(stage=S.SAL, ended_at__isnull=True)
    named = step.removeprefix(SKIPPED)
    return Q(stage__in=proofs.get(named, (named,)))

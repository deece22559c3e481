"""What criteria can ask of a lead's handoff: how its clock stands, its state, why it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet, TextChoices

from crm.common.criteria import Field, Kind, Op
from handoff.enums import DisqualifyReason, HandoffState, RecycleReason, RejectionReason, Verdict
from handoff.models import BantAssessment, Clock, Handoff

_OPS = (Op.IN, Op.NOT_IN)


class SlaState(TextChoices):
    """How an open handoff stands, as its badge shows it; waiting goes beside any of the others."""

    WAITING = "WAITING", "Waiting for acceptance"
    ON_TRACK = "ON_TRACK", "On track"
    AT_RISK = "AT_RISK", "At risk"
    BREACHED = "BREACHED", "Breached"


def handoff_field(
    name: str,
    label: str,
    choices: type[TextChoices],
    found: Callable[[str, datetime], QuerySet[Any]],
    **options: Any,
) -> Field:
    """Return a field whose values are sets of handoffs; ``found`` gives the lead ids of one."""

    def ask(op: Op, values: Iterable[str], now: datetime) -> Q:
        fits = reduce(or_, (Q(pk__in=found(value, now)) for value in values))
        return fits if op is Op.IN else ~fits

    return Field(
        name,
        label,
        Kind.CHOICE,
        q=ask,
        choices=lambda: choices.choices,
        ops=_OPS,
        group="Handoff",
        **options,
    )


def in_sla_state(code: str, now: datetime) -> QuerySet[Any]:
    """Return the ids of leads whose open handoff stands so at ``now``.

    The most urgent clock decides: a handoff with a breached clock is not at risk as well.
    """
    if code == SlaState.WAITING:
        return Handoff.objects.open().filter(state=HandoffState.OFFERED).values("lead")
    overdue = Clock.objects.overdue(now)
    if code == SlaState.BREACHED:
        return overdue.values("handoff__lead")
    at_risk = Clock.objects.at_risk(now).exclude(handoff__in=overdue.values("handoff"))
    if code == SlaState.AT_RISK:
        return at_risk.values("handoff__lead")
    urgent = Clock.objects.running().filter(at_risk_at__lte=now)
    calm = Handoff.objects.open().exclude(pk__in=urgent.values("handoff"))
    return calm.filter(clocks__in=Clock.objects.on_track(now)).values("lead")


def in_handoff_state(code: str, _: datetime) -> QuerySet[Any]:
    """Return the ids of leads with a handoff in this state, of any cycle."""
    return Handoff.objects.filter(state=code).values("lead")


def rejected_for(code: str, _: datetime) -> QuerySet[Any]:
    """Return the ids of leads that sales rejected for this reason, in any cycle."""
    return Handoff.objects.filter(rejection_reason=code).values("lead")


def disqualified_for(code: str, _: datetime) -> QuerySet[Any]:
    """Return the ids of leads that sales disqualified for this reason, in any cycle."""
    return _told_by(Verdict.DISQUALIFY, disqualify_reason=code)


def recycled_for(code: str, _: datetime) -> QuerySet[Any]:
    """Return the ids of leads that sales sent back to nurture for this reason, in any cycle."""
    return _told_by(Verdict.RECYCLE, recycle_reason=code)


def _told_by(verdict: Verdict, **reason: str) -> QuerySet[Any]:
    told = BantAssessment.objects.filter(verdict=verdict, submitted_at__isnull=False, **reason)
    return told.values("handoff__lead")


HANDOFF_FIELDS = (
    handoff_field("sla_state", "SLA", SlaState, in_sla_state, order=10),
    handoff_field("handoff", "Handoff", HandoffState, in_handoff_state, order=20),
    handoff_field("rejected_for", "Rejected as", RejectionReason, rejected_for, order=30),
    handoff_field(
        "disqualified_for", "Disqualified as", DisqualifyReason, disqualified_for, order=40
    ),
    handoff_field("recycled_for", "Recycled as", RecycleReason, recycled_for, order=50),
)

"""The tables of ``handoff``, one file per subject."""

from handoff.models.agreement import Agreement, SlaTier
from handoff.models.assignment import AssignmentDecision, RepProfile, RoutingRule
from handoff.models.bant import BantAssessment
from handoff.models.calendar import WorkCalendar
from handoff.models.handoff import (
    LONGEST_ERROR,
    Clock,
    ClockQuerySet,
    Handoff,
    HandoffQuerySet,
    HolderInterval,
    Touch,
)

__all__ = [
    "LONGEST_ERROR",
    "Agreement",
    "AssignmentDecision",
    "BantAssessment",
    "Clock",
    "ClockQuerySet",
    "Handoff",
    "HandoffQuerySet",
    "HolderInterval",
    "RepProfile",
    "RoutingRule",
    "SlaTier",
    "Touch",
    "WorkCalendar",
]

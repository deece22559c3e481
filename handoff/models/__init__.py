"""The tables of ``handoff``, one file per subject."""

from handoff.models.agreement import Agreement, CommitmentOwner, SlaTier
from handoff.models.assignment import (
    LONGEST_RULE,
    AssignmentDecision,
    RepProfile,
    RoutingRule,
)
from handoff.models.bant import BantAssessment
from handoff.models.calendar import WorkCalendar
from handoff.models.clock import LONGEST_ERROR, Clock, ClockQuerySet
from handoff.models.evidence import Excuse, Touch
from handoff.models.handoff import Handoff, HandoffQuerySet, HolderInterval
from handoff.models.imported import ImportedHandoff
from handoff.models.source import SourceOwner

__all__ = [
    "LONGEST_ERROR",
    "LONGEST_RULE",
    "Agreement",
    "AssignmentDecision",
    "BantAssessment",
    "Clock",
    "ClockQuerySet",
    "CommitmentOwner",
    "Excuse",
    "Handoff",
    "HandoffQuerySet",
    "HolderInterval",
    "ImportedHandoff",
    "RepProfile",
    "RoutingRule",
    "SlaTier",
    "SourceOwner",
    "Touch",
    "WorkCalendar",
]

"""Scoring model versions and the stored score of each lead."""

from scoring.models.scores import LeadScore
from scoring.models.versions import ScoringModel

__all__ = ["LeadScore", "ScoringModel"]

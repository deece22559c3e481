"""Scoring model versions, the stored score of each lead, and back-tests."""

from scoring.models.back_tests import BackTest, BackTestTrip
from scoring.models.scores import LeadScore
from scoring.models.versions import ScoringModel

__all__ = ["BackTest", "BackTestTrip", "LeadScore", "ScoringModel"]

"""Scoring model versions, the stored score of each lead, back-tests and reviews."""

from scoring.models.back_tests import BackTest, BackTestTrip
from scoring.models.reviews import DisqualificationReview
from scoring.models.scores import LeadScore
from scoring.models.versions import ScoringModel

__all__ = [
    "BackTest",
    "BackTestTrip",
    "DisqualificationReview",
    "LeadScore",
    "ScoringModel",
]

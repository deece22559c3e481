"""Model versions, stored scores, back-tests, rule quality, reviews and predictive models."""

from scoring.models.back_tests import BackTest, BackTestTrip
from scoring.models.predictive import LeadPrediction, PredictiveModel
from scoring.models.quality import QualityCase, QualityReport
from scoring.models.reviews import DisqualificationReview
from scoring.models.scores import LeadScore
from scoring.models.versions import ScoringModel

__all__ = [
    "BackTest",
    "BackTestTrip",
    "DisqualificationReview",
    "LeadPrediction",
    "LeadScore",
    "PredictiveModel",
    "QualityCase",
    "QualityReport",
    "ScoringModel",
]

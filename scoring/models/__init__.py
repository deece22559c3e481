"""Model versions, scores, back-tests, releases, rule quality, reviews, predictive models."""

from scoring.models.back_tests import BackTest, BackTestCycle, BackTestPiece
from scoring.models.predictive import LeadPrediction, PredictiveModel
from scoring.models.quality import QualityCase, QualityReport
from scoring.models.releases import MetBefore, RaisedHand, ReleasePlan, ReleaseWave, WaveLead
from scoring.models.reviews import DisqualificationReview
from scoring.models.scores import HEAVY, LeadScore
from scoring.models.versions import ScoringModel

__all__ = [
    "HEAVY",
    "BackTest",
    "BackTestCycle",
    "BackTestPiece",
    "DisqualificationReview",
    "LeadPrediction",
    "LeadScore",
    "MetBefore",
    "PredictiveModel",
    "QualityCase",
    "QualityReport",
    "RaisedHand",
    "ReleasePlan",
    "ReleaseWave",
    "ScoringModel",
    "WaveLead",
]

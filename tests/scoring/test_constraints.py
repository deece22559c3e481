"""What the database refuses, whoever asks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from scoring.models import LeadScore, ScoringModel
from scoring.services import mark_due
from tests.factories import NOW, make_lead
from tests.scoring.logs import publish_model

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("points", ["-0.1", "100.1"])
@pytest.mark.parametrize(
    ("column", "constraint"),
    [
        ("engagement_score", "lead_score_engagement_0_to_100"),
        ("fit_score", "lead_score_fit_0_to_100"),
    ],
)
def test_a_score_is_0_to_100_points(column: str, constraint: str, points: str) -> None:
    mark_due(lead_ids=[make_lead().pk], now=NOW)
    outside: dict[str, Any] = {column: Decimal(points)}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        LeadScore.objects.update(**outside)


@pytest.mark.parametrize("points", ["0", "100"])
def test_both_ends_of_a_score_can_be_reached(points: str) -> None:
    mark_due(lead_ids=[make_lead().pk], now=NOW)

    LeadScore.objects.update(engagement_score=Decimal(points), fit_score=Decimal(points))


def test_a_model_is_in_a_known_state() -> None:
    publish_model()

    with pytest.raises(IntegrityError, match="scoring_model_state_is_known"), transaction.atomic():
        ScoringModel.objects.update(state="LOST")

"""How many leads stand in each cell."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from scoring.editor.grid import leads_per_cell
from scoring.models import LeadScore
from tests.factories import make_lead
from tests.scoring.logs import publish_model

pytestmark = pytest.mark.django_db


def test_leads_are_counted_by_cell_once_a_minute(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for cell in ("A1", "A1", ""):
        LeadScore.objects.create(lead=make_lead(), cell=cell)
    assert leads_per_cell() == {"A1": 2, "": 1}
    LeadScore.objects.create(lead=make_lead(), cell="B2")
    with django_assert_num_queries(2):  # the model in force, and the cache
        assert leads_per_cell() == {"A1": 2, "": 1}


def test_leads_are_counted_anew_once_the_scores_are_of_another_model() -> None:
    publish_model()
    LeadScore.objects.create(lead=make_lead(), cell="A1")
    assert leads_per_cell() == {"A1": 1}
    LeadScore.objects.update(cell="B2")
    publish_model()
    assert leads_per_cell() == {"B2": 1}

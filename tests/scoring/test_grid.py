"""How many leads stand in each cell."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from scoring.editor.grid import leads_per_cell
from scoring.models import LeadScore
from tests.factories import make_lead

pytestmark = pytest.mark.django_db


def test_leads_are_counted_by_cell_once_a_minute(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for cell in ("A1", "A1", ""):
        LeadScore.objects.create(lead=make_lead(), cell=cell)
    assert leads_per_cell() == {"A1": 2, "": 1}
    LeadScore.objects.create(lead=make_lead(), cell="B2")
    with django_assert_num_queries(1):
        assert leads_per_cell() == {"A1": 2, "": 1}

"""Which lists are sought with care: those whose length the planner can only guess."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.models import QuerySet

from crm.common.plans import plan_of
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.search import search_q
from scoring.models import LeadScore

NOW = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)
S = LifecycleStage
pytestmark = pytest.mark.django_db


@pytest.fixture
def many_leads() -> None:
    """Make 8,000 leads, of which 1,000 are SQL."""
    with connection.cursor() as cursor:  # whose stages have no history
        cursor.execute("SET LOCAL session_replication_role = replica")
    leads = Lead.objects.bulk_create(
        Lead(
            last_name=f"Kallweit{n}",
            stage=S.SQL if n < 1_000 else S.LEAD,
            stage_since=NOW,
            created_at=NOW,
            last_activity_at=NOW,
        )
        for n in range(8_000)
    )
    LeadScore.objects.bulk_create(
        LeadScore(lead=lead, engagement_level=1 + n % 4) for n, lead in enumerate(leads)
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE leads_lead, scoring_leadscore")
        # Other tests leave indexes so thin that reading the whole table may look cheaper.
        cursor.execute("SET LOCAL enable_seqscan = off")


def test_only_lengths_that_no_index_knows_are_guesses(many_leads: None) -> None:
    def is_guess(asked: QuerySet[Lead]) -> bool:
        return plan_of(asked).is_guess

    sales = Lead.objects.standing().filter(stage=S.SQL)

    assert is_guess(sales.filter(score__engagement_level__in=[1, 2, 3]))
    assert is_guess(Lead.objects.filter(search_q(["weit1"])))
    assert is_guess(sales.exclude(last_name="Kallweit8"))
    assert not is_guess(sales)
    assert not is_guess(sales.filter(last_name="Kallweit8"))  # few
    assert not is_guess(Lead.objects.none())


def test_how_long_an_index_is_needs_no_proof_but_what_is_sought_in_it_does(
    many_leads: None,
) -> None:
    every = Lead.objects.standing()

    assert plan_of(Lead.objects.order_by("last_name")).rows == 8_000  # what is expected of all
    assert plan_of(every).is_whole
    assert not plan_of(every.filter(stage=S.LEAD)).is_whole
    assert not plan_of(every.exclude(last_name="Kallweit8")).is_whole
    assert not plan_of(every.filter(score__engagement_level=1)).is_whole

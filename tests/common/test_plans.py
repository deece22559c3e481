"""Which lists are sought with care: those whose length the planner can only guess."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.models import Model, QuerySet

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
    """Make 8,000 leads, of which 1,000 are SQL, in the database alone: models take 18 s."""
    with connection.cursor() as cursor:  # whose stages have no history
        cursor.execute("SET LOCAL session_replication_role = replica")
    lead = Lead.objects.create(stage_since=NOW, created_at=NOW, last_activity_at=NOW)
    LeadScore.objects.create(lead=lead)
    stage = f"CASE WHEN n <= 1000 THEN '{S.SQL}' ELSE '{S.LEAD}' END"
    _copy(Lead, 7_999, id=f"{lead.pk} + n", last_name="'Kallweit' || n", stage=stage)
    _copy(LeadScore, 7_999, lead_id=f"{lead.pk} + n", engagement_level="1 + n % 4")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE leads_lead, scoring_leadscore")
        # Other tests leave indexes so thin that reading the whole table may look cheaper.
        cursor.execute("SET LOCAL enable_seqscan = off")


def _copy(model: type[Model], times: int, **changed: str) -> None:
    """Copy the only row of a table, with other values in some columns; n is the number of each."""
    fields = [each for each in model._meta.concrete_fields if not each.generated]
    table, columns = model._meta.db_table, [str(each.column) for each in fields]
    values = ", ".join(changed.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)})"
            f" SELECT {values} FROM {table}, generate_series(1, {times}) AS n"
        )


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

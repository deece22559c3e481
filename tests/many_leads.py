"""Thousands of leads, in the database alone: models take 18 s for as many."""

from datetime import UTC, datetime

from django.db import connection
from django.db.models import Model

from leads.enums import LifecycleStage
from leads.models import Lead
from scoring.models import LeadScore

NOW = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)
S = LifecycleStage


def make_many_leads() -> None:
    """Make 8,000 leads, of which 1,000 are SQL, 800 came today, and a quarter has each level."""
    with connection.cursor() as cursor:  # whose stages have no history
        cursor.execute("SET LOCAL session_replication_role = replica")
    lead = Lead.objects.create(stage_since=NOW, created_at=NOW, last_activity_at=NOW)
    LeadScore.objects.create(lead=lead)
    stage = f"CASE WHEN n <= 1000 THEN '{S.SQL}' ELSE '{S.LEAD}' END"
    created = (
        "created_at - CASE WHEN n % 10 = 0 THEN interval '3 hours' ELSE interval '30 days' END"
    )
    _copy(
        Lead,
        7_999,
        id=f"{lead.pk} + n",
        last_name="'Kallweit' || n",
        stage=stage,
        created_at=created,
        last_activity_at="last_activity_at - n * 7919 % 8000 * interval '1 second'",
    )
    _copy(
        LeadScore,
        7_999,
        lead_id=f"{lead.pk} + n",
        engagement_level="1 + n % 4",
        engagement_score="n % 100",
    )
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

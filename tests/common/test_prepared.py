"""Queries that are planned once a connection."""

from __future__ import annotations

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext
from psycopg.sql import SQL

from crm.common.prepared import columns_of, prepared, prepared_models
from engagement.models import Event
from tests.factories import NOW, make_lead
from tests.scoring.logs import log_act

pytestmark = pytest.mark.django_db

QUERY = SQL("SELECT count(*) AS acts, $1 || '%' AS words FROM engagement_event WHERE lead_id = $2")
RUNS_BEFORE_PREPARING = 5


def test_a_question_asked_often_is_planned_once() -> None:
    for _ in range(RUNS_BEFORE_PREPARING + 3):
        prepared(QUERY, ["all", 40_000])

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = %s",
            [QUERY.as_string(None)],
        )
        assert cursor.fetchall() == [(3, 0)]


def test_rows_come_by_column_and_are_counted_as_queries() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert prepared(QUERY, ["100", 40_000]) == [{"acts": 0, "words": "100%"}]
    assert len(captured) == 1


def test_errors_are_those_of_django() -> None:
    with pytest.raises(DataError):
        prepared(SQL("SELECT 1 / $1::int AS quotient"), [0])


def test_models_come_as_django_reads_them() -> None:
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW, properties={"pages": [1, None, "ä"]})
    query = SQL("SELECT {} FROM engagement_event WHERE lead_id = $1").format(columns_of(Event))

    found = prepared_models(Event, SQL(query.as_string(None)), [lead.pk])

    assert [each.__dict__ | {"_state": None} for each in found] == [
        each.__dict__ | {"_state": None} for each in Event.objects.filter(lead=lead)
    ]

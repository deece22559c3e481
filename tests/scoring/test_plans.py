"""How PostgreSQL finds what scoring asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from psycopg import RawCursor
from psycopg.sql import SQL

from engagement.enums import Actor, EventKind
from scoring.definition import parse_definition
from scoring.presets import default_definition
from scoring.query import ASK_AT, KEEP, engagement_tables
from scoring.sql import rendered, with_tables
from tests.factories import NOW, make_lead
from tests.scoring.logs import log_act

pytestmark = pytest.mark.django_db


def test_the_acts_of_due_leads_are_read_from_their_index_alone() -> None:
    leads = [make_lead().pk for _ in range(3)]
    for lead in leads:
        log_act(lead, "PAGE_VIEW")
    definition = parse_definition(default_definition())
    tables = engagement_tables(definition, ASK_AT, at_once=True)
    query = rendered(with_tables(tables, SQL("SELECT * FROM engagement"), keep=KEEP))

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    planner: Any = RawCursor(connection.connection)
    asked = [leads, [NOW, NOW - timedelta(days=7)], NOW]
    planner.execute(f"EXPLAIN {query.as_string(None)}", asked)
    scans = [line for (line,) in planner.fetchall() if " on engagement_event" in line]

    assert scans
    assert all("Index Only Scan" in scan for scan in scans)


def test_who_ever_did_something_rare_is_found_by_its_kind() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            "EXPLAIN SELECT lead_id FROM engagement_event"
            " WHERE kind = %s AND actor = %s AND lead_id IS NOT NULL",
            [EventKind.TRIAL_START, Actor.HUMAN],
        )
        scans = [line for (line,) in cursor.fetchall() if " on engagement_event" in line]

    assert scans
    assert all("kind_lead_id_occurred_at" in scan for scan in scans)

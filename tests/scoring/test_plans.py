"""How PostgreSQL finds what scoring asks for, in a log that it has looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from psycopg import RawCursor
from psycopg.sql import SQL

from engagement.enums import Actor, EventKind
from scoring.definition import parse_definition
from scoring.presets import default_definition
from scoring.query import ASK_AT, KEEP, engagement_tables
from scoring.reference import Act
from scoring.sql import rendered, with_tables
from tests.factories import NOW, make_lead
from tests.scoring.logs import log_act, log_acts

pytestmark = pytest.mark.django_db(transaction=True)  # VACUUM works in no transaction

#: Acts of each lead: so many that to read all of an index costs more than to find some in another.
_MANY = 200


def _scans(query: str, asked: Sequence[Any]) -> list[str]:
    """Return how the acts of this month would be read, without going through all of them."""
    with connection.cursor() as cursor:
        # FULL: indexes as small as their rows, whatever other tests left of pages in them. It
        # leaves no visibility map; the second one does.
        cursor.execute("VACUUM (FULL) engagement_event")
        cursor.execute("VACUUM (ANALYZE) engagement_event")
    planner: Any = RawCursor(connection.connection)
    with transaction.atomic():
        planner.execute("SET LOCAL enable_seqscan = off")
        planner.execute("SET LOCAL enable_bitmapscan = off")
        planner.execute("SELECT DISTINCT tableoid::regclass::text FROM engagement_event")
        [(month,)] = planner.fetchall()
        planner.execute(f"EXPLAIN {query}", asked)
        found = [line for (line,) in planner.fetchall() if f" on {month}" in line]
    assert found
    return found


def _many_acts() -> list[int]:
    leads = [make_lead().pk for _ in range(3)]
    for lead in leads:
        log_acts(lead, [Act(kind="PAGE_VIEW", occurred_at=NOW, received_at=NOW)] * _MANY)
    return leads


def test_the_acts_of_due_leads_are_read_from_their_index_alone() -> None:
    leads = _many_acts()
    definition = parse_definition(default_definition())
    tables = engagement_tables(definition, ASK_AT, at_once=True)
    query = rendered(with_tables(tables, SQL("SELECT * FROM engagement"), keep=KEEP))

    scans = _scans(query.as_string(None), [leads, [NOW, NOW - timedelta(days=7)], NOW])

    assert [scan for scan in scans if "Index Only Scan" not in scan] == []


def test_who_ever_did_something_rare_is_found_by_its_kind() -> None:
    [lead, *_] = _many_acts()
    log_act(lead, "TRIAL_START")
    query = (
        "SELECT lead_id FROM engagement_event"
        " WHERE kind = $1 AND actor = $2 AND lead_id IS NOT NULL"
    )

    scans = _scans(query, [EventKind.TRIAL_START.value, Actor.HUMAN.value])

    assert [scan for scan in scans if "kind_lead_id_occurred_at" not in scan] == []
